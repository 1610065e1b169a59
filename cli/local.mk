bin_PROGRAMS += bulkhead
bulkhead_SOURCES = \
	cli/main.c cli/cmd.h \
	cli/cmd_config.c \
	cli/cmd_key.c \
	cli/cmd_preview.c \
	cli/cmd_token.c \
	cli/key.h cli/key_create.c \
	cli/load.c cli/load.h \
	cli/secret_file.c cli/secret_file.h \
	cli/token.h cli/token_find.c cli/token_show.c cli/token_write.c
bulkhead_LDADD = $(BULKHEAD_LIBS)
bulkhead_SOURCES += cli/cmd_limit.c cli/limit.h cli/limit_ask.c \
	cli/limit_list.c cli/limit_pause.c cli/limit_show.c \
	cli/owner.c cli/owner.h
IMPORT_SOURCES = cli/import.h cli/import_csv.c cli/import_entry.c \
	cli/import_input.c cli/import_json.c cli/import_kind.c \
	cli/import_source.c cli/import_utf16.c cli/import_value.c
bulkhead_SOURCES += $(IMPORT_SOURCES) cli/cmd_suppress.c cli/suppress.h \
	cli/import_job.c cli/import_job.h cli/import_reject.c \
	cli/import_store.c cli/progress.c cli/progress.h \
	cli/suppress_args.c cli/suppress_change.c cli/suppress_export.c \
	cli/suppress_import.c cli/suppress_open.c cli/suppress_scope.c \
	cli/suppress_show.c cli/suppress_stats.c cli/suppress_write.c
bulkhead_SOURCES += cli/cmd_status.c cli/daemon.c cli/daemon.h
bulkhead_SOURCES += cli/cmd_events.c cli/events.h cli/events_args.c \
	cli/events_forget.c cli/events_metadata.c cli/events_show.c \
	cli/events_write.c
bulkhead_SOURCES += cli/cmd_report.c cli/report.h \
	cli/report_csv.c cli/report_days.c cli/report_find.c \
	cli/report_gather.c cli/report_html.c cli/report_json.c \
	cli/report_name.c cli/report_open.c cli/report_plot.c \
	cli/report_text.c
bulkhead_SOURCES += cli/keys_file.c cli/keys_file.h cli/rotate.h \
	cli/rotate_daemons.c cli/token_rotate.c
