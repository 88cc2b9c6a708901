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
/* an error in the configuration */
#define DAMOND_MESSAGE_CONFIG_ERROR "7dcf53832cfd43f1a26c7e9772ebcd4f"
/* a process is monitored from now on */
#define DAMOND_MESSAGE_TARGET_ATTACHED "1a0e3a1eb74d4d0e9a4104a8f46efe44"
/* a process is not monitored any more */
#define DAMOND_MESSAGE_TARGET_GONE "9930d1e3ac8d4f5dab2e6cec213d7b50"
/* what a scheme has done */
#define DAMOND_MESSAGE_SCHEME_STATISTICS "af7a0b46d489470287d4f23b637f95b4"
/* what monitoring has done, and at which resolution */
#define DAMOND_MESSAGE_MONITORING_STATISTICS "0e4cb8cbe5d7426bb15559369cbd961e"
/* the CPU budget binds, or does not bind any more */
#define DAMOND_MESSAGE_BUDGET "f358fa0399724940bc700fdec801deb7"
/* the record cannot be written */
#define DAMOND_MESSAGE_RECORD_FAILED "ff83b165b8524204ac132b997a13999f"
/* the record is written again */
#define DAMOND_MESSAGE_RECORD_RECOVERED "2e0d80a5b0b34f60b8cca53910f01796"
/* the kernel or the privileges lack something */
#define DAMOND_MESSAGE_UNAVAILABLE "efad2d0594ec4471ab87817bc9e2322e"
