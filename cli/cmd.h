/*
 * cmd.h - the verbs of the command `bulkhead` and what they share.
 */
#ifndef BULKHEAD_CLI_CMD_H
#define BULKHEAD_CLI_CMD_H

/*
 * Each takes its own arguments, argv[0] being the verb, and returns the exit
 * code: sysexits, 0 ok, 1 the answer is no.
 */
int cmd_config(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_limit(int argc, char **argv);
int cmd_preview(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_suppress(int argc, char **argv);
int cmd_token(int argc, char **argv);

#endif
