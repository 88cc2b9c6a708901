/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * MESSAGE_ID of each kind of journal record that damond writes. They never change: people
 * search for them.
 */

/* damond has started */
#define DAMOND_MESSAGE_STARTED "d59d62d458314dd7afa33c4aa3f9426d"
/* damond stops */
#define DAMOND_MESSAGE_STOPPED "34dcd77ec1f24ff0b07c7b9c157b97ce"
/* a new configuration is in force */
#define DAMOND_MESSAGE_RELOADED "d1622af1284a47ea9d2d7cb6c33f9e63"
/* something that a reload has changed */
#define DAMOND_MESSAGE_RELOAD_CHANGE "5b8e2f6d91a34c0f8d27a4e6c0b39f71"
/* a configuration was not loaded, what was in force stays */
#define DAMOND_MESSAGE_RELOAD_REFUSED "c3a1f0a5d7c64a53b7b1c6a2f1f0e9d4"
/* an error in the configuration */
#define DAMOND_MESSAGE_CONFIG_ERROR "7dcf53832cfd43f1a26c7e9772ebcd4f"
/* a process is monitored from now on */
#define DAMOND_MESSAGE_TARGET_ATTACHED "1a0e3a1eb74d4d0e9a4104a8f46efe44"
/* a process is not monitored any more */
#define DAMOND_MESSAGE_TARGET_GONE "9930d1e3ac8d4f5dab2e6cec213d7b50"
/* a process is selected, but cannot be monitored */
#define DAMOND_MESSAGE_TARGET_REFUSED "e47d90b2a86f4d13952c7f1be8a0d653"
/* more processes than max_processes belong to an entry */
#define DAMOND_MESSAGE_TARGET_LIMIT "0f6c3b9ad5e84f7aa1d2c47e93b8560d"
/* targets came and went too often to tell of each */
#define DAMOND_MESSAGE_TARGETS_OMITTED "92d5c7e1b04a4b6f8f3ea9d6712c58b0"
/* what a scheme has done */
#define DAMOND_MESSAGE_SCHEME_STATISTICS "af7a0b46d489470287d4f23b637f95b4"
/* a scheme sleeps by its watermarks, or is awake again */
#define DAMOND_MESSAGE_WATERMARKS "5c0a9e6b7f0e4d46b3a1d7f2c48e9b13"
/* a goal of a scheme cannot be read, or all can again */
#define DAMOND_MESSAGE_GOALS "8f2d61c07b9a4e35a6d0c3f419e7b82c"
/* what became of memory that was to be in huge pages */
#define DAMOND_MESSAGE_COLLAPSE_STATISTICS "f671a5ae04694221abe31be6bca7b0ab"
/* how often, and for how long, threads of targets were stopped */
#define DAMOND_MESSAGE_INJECTION_STATISTICS "a58c243000af440c8ca5626a8c64f465"
/* what monitoring has done, and at which resolution */
#define DAMOND_MESSAGE_MONITORING_STATISTICS "0e4cb8cbe5d7426bb15559369cbd961e"
/* a guard holds a scheme back */
#define DAMOND_MESSAGE_GUARD "d00be15fc4b44470a20a91ac36e827ec"
/* a guard lets a scheme do what it is to do again */
#define DAMOND_MESSAGE_GUARD_OVER "bb88cec645974cf386e32ff53e94a600"
/* the CPU budget binds, or does not bind any more */
#define DAMOND_MESSAGE_BUDGET "f358fa0399724940bc700fdec801deb7"
/* damond does not keep up with its sample interval, or does again */
#define DAMOND_MESSAGE_OVERRUN "b71e4a8c6d2f4930a5c8e0f7d193642b"
/* a line of a snapshot that SIGUSR1 asked for */
#define DAMOND_MESSAGE_SNAPSHOT "3d7f15c0e9a24b86a0d4f8c25be7913a"
/* the record cannot be written */
#define DAMOND_MESSAGE_RECORD_FAILED "ff83b165b8524204ac132b997a13999f"
/* the record is written again */
#define DAMOND_MESSAGE_RECORD_RECOVERED "2e0d80a5b0b34f60b8cca53910f01796"
/* the kernel or the privileges lack something */
#define DAMOND_MESSAGE_UNAVAILABLE "efad2d0594ec4471ab87817bc9e2322e"
/* something here disturbs monitoring, or limits what actions can do */
#define DAMOND_MESSAGE_CAVEAT "6a90e3d8f1b74c25bd48c7a2059ef61c"
/* something failed that damond cannot work without */
#define DAMOND_MESSAGE_FAILED "d84b6f02c7e94a1f93a5e1c8b60d27f5"
