/* SPDX-License-Identifier: GPL-2.0-only */
/* damond: command line, exit codes, and nothing else. */

#include <getopt.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "explain.h"
#include "log.h"
#include "macro.h"
#include "manager.h"
#include "message-ids.h"
#include "page-idle.h"
#include "unit.h"

/*
 * Arrays of that many bytes and more, such as the regions of a target, have mappings of their own,
 * which grow in place and leave no holes in the heap. By default malloc() would stop to do that when the
 * first large one is freed, which is the text of the configuration: mallopt(3).
 */
#define MMAP_THRESHOLD (32 * 1024)

/* daemon(7), sysexits.h */
enum {
        EXIT_RUNTIME = 1,
        EXIT_USAGE = 2,
        EXIT_PRIVILEGE = 4,
        EXIT_KERNEL = 5,
        EXIT_CONFIG = 78,
};

enum mode {
        MODE_RUN,
        MODE_CHECK,
        MODE_DUMP,
        MODE_PROBE,
        MODE_EXPLAIN,
};

/* The limit is in microseconds, 0 is none. */
struct arguments {
        enum mode mode;
        const char *config;
        bool dry_run;
        uint64_t limit;
        int log_level;
};

static void help(void) {
        puts("Usage: damond [OPTION...]\n"
             "Watch which memory of processes is used, and act on it by schemes.\n"
             "\n"
             "  -c, --config=FILE      configuration file [" CONF_PATH "]\n"
             "  -t, --check-config     say what is wrong with the configuration, and exit\n"
             "  -T, --dump-config      print the configuration with all defaults, and exit\n"
             "      --probe            say what this kernel and these privileges offer, and exit\n"
             "  -n, --dry-run          do everything but act on memory\n"
             "      --explain          watch for a while, say what schemes would match and what holds\n"
             "                         them back, and exit\n"
             "      --for=TIME         how long to watch for that, at most\n"
             "      --log-level=LEVEL  error, warning, info or debug [info; for --explain: warning]\n"
             "  -h, --help             this text\n"
             "  -V, --version          version\n"
             "\n"
             "Signals: SIGHUP reads the configuration again, SIGUSR1 logs a snapshot, SIGTERM ends.\n"
             "See damond(8) and damond.conf(5).");
}

static int parse_log_level(const char *name) {
        static const struct {
                const char *name;
                int level;
        } levels[] = {
                { "error", LOG_ERR },
                { "warning", LOG_WARNING },
                { "info", LOG_INFO },
                { "debug", LOG_DEBUG },
        };

        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                if (strcmp(name, levels[i].name) == 0)
                        return levels[i].level;
        return -EINVAL;
}

/* Return: 1 to go on, 0 if all is done, -EINVAL if the command line is wrong. */
static int parse_arguments(int argc, char *argv[], struct arguments *arguments) {
        enum {
                OPTION_PROBE = 256,
                OPTION_LOG_LEVEL,
                OPTION_EXPLAIN,
                OPTION_FOR,
        };
        static const struct option options[] = {
                { "config", required_argument, NULL, 'c' },
                { "check-config", no_argument, NULL, 't' },
                { "dump-config", no_argument, NULL, 'T' },
                { "probe", no_argument, NULL, OPTION_PROBE },
                { "dry-run", no_argument, NULL, 'n' },
                { "explain", no_argument, NULL, OPTION_EXPLAIN },
                { "for", required_argument, NULL, OPTION_FOR },
                { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "c:tTnhV", options, NULL)) >= 0)
                switch (c) {
                case 'c':
                        arguments->config = optarg;
                        break;
                case 't':
                        arguments->mode = MODE_CHECK;
                        break;
                case 'T':
                        arguments->mode = MODE_DUMP;
                        break;
                case OPTION_PROBE:
                        arguments->mode = MODE_PROBE;
                        break;
                case 'n':
                        arguments->dry_run = true;
                        break;
                case OPTION_EXPLAIN:
                        arguments->mode = MODE_EXPLAIN;
                        break;
                case OPTION_FOR:
                        if (unit_parse_time(optarg, &arguments->limit) < 0 || arguments->limit == 0) {
                                fprintf(stderr, "damond: --for: '%s' is no time above 0, such as 30s\n", optarg);
                                return -EINVAL;
                        }
                        break;
                case OPTION_LOG_LEVEL:
                        arguments->log_level = parse_log_level(optarg);
                        if (arguments->log_level < 0) {
                                fprintf(stderr, "damond: --log-level: '%s' is none of error, warning, "
                                                "info and debug\n", optarg);
                                return -EINVAL;
                        }
                        break;
                case 'h':
                        help();
                        return 0;
                case 'V':
                        puts("damond " DAMOND_VERSION);
                        return 0;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "damond: '%s' is no option\n", argv[optind]);
                return -EINVAL;
        }
        if (arguments->limit > 0 && arguments->mode != MODE_EXPLAIN) {
                fputs("damond: --for is for --explain only\n", stderr);
                return -EINVAL;
        }
        if (arguments->log_level < 0)
                arguments->log_level = arguments->mode == MODE_EXPLAIN ? LOG_WARNING : LOG_INFO;
        return 1;
}

static int exit_code(int error) {
        switch (error) {
        case -ENOTSUP:
                return EXIT_KERNEL;
        case -EPERM:
                return EXIT_PRIVILEGE;
        default:
                return EXIT_RUNTIME;
        }
}

/* Return: 0, or an exit code after the errors were written. */
static int load_config(const struct arguments *arguments, struct plan **ret_plan) {
        struct conf_diag diag = {};
        int r;

        r = conf_load(arguments->config, page_idle_actions(), &diag, ret_plan);
        for (size_t i = 0; i < diag.nr; i++)
                if (arguments->mode == MODE_RUN)
                        log_error(DAMOND_MESSAGE_CONFIG_ERROR, "%s", diag.messages[i].text);
                else
                        fprintf(stderr, "%s\n", diag.messages[i].text);
        conf_diag_done(&diag);
        if (r == -ENOMEM) {
                log_error(DAMOND_MESSAGE_FAILED, "out of memory");
                return EXIT_RUNTIME;
        }
        return r < 0 ? EXIT_CONFIG : 0;
}

static void log_caveat(const char *sentence, void *userdata) {
        log_record(LOG_WARNING, DAMOND_MESSAGE_CAVEAT, NULL, "%s", sentence);
}

static int run(const struct arguments *arguments, struct plan **plan) {
        bool explains = arguments->mode == MODE_EXPLAIN;
        struct page_idle_files files;
        struct manager *manager;
        const char *why;
        int r;

        r = page_idle_files_open(&files, &why);
        if (r < 0) {
                log_error(DAMOND_MESSAGE_UNAVAILABLE, "%s%s", why, explains && r == -EBUSY ?
                          "; the one that runs logs the same on SIGUSR1: systemctl kill -s USR1 damond" : "");
                return exit_code(r);
        }
        page_idle_caveats(files.proc_fd, log_caveat, NULL);
        if ((*plan)->allow_injection && inject_probe(&why) < 0)
                log_record(LOG_WARNING, DAMOND_MESSAGE_CAVEAT, NULL, "nothing can be injected: %s", why);

        r = manager_new(&manager, arguments->config, *plan, &files, arguments->dry_run || explains);
        if (r < 0)
                log_error(DAMOND_MESSAGE_FAILED, "cannot start: %s", strerror(-r));
        else {
                *plan = NULL;
                r = explains ? explain_run(manager, arguments->limit, stdout) : manager_run(manager);
                manager_free(manager);
        }
        page_idle_files_close(&files);
        return r < 0 ? EXIT_RUNTIME : 0;
}

int main(int argc, char *argv[]) {
        struct arguments arguments = {
                .config = CONF_PATH,
                .log_level = -1,
        };
        _cleanup_(plan_freep) struct plan *plan = NULL;
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r < 0) {
                fputs("Try 'damond --help'.\n", stderr);
                return EXIT_USAGE;
        }
        if (r == 0)
                return 0;
        log_open(arguments.log_level);
        (void) mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);

        if (arguments.mode == MODE_PROBE) {
                r = page_idle_probe(stdout);
                return r < 0 ? exit_code(r) : 0;
        }
        r = load_config(&arguments, &plan);
        if (r != 0)
                return r;
        if (arguments.mode == MODE_CHECK)
                return 0;
        if (arguments.mode == MODE_DUMP) {
                if (plan_dump(plan, stdout) >= 0)
                        return 0;
                log_error(DAMOND_MESSAGE_FAILED, "out of memory");
                return EXIT_RUNTIME;
        }
        return run(&arguments, &plan);
}
