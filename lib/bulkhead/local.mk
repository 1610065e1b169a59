libbulkhead_a_SOURCES += \
	lib/bulkhead/names.h lib/bulkhead/policy.h
libbulkhead_a_SOURCES += lib/bulkhead/listen.c lib/bulkhead/listen.h
libbulkhead_a_SOURCES += lib/bulkhead/logline.c lib/bulkhead/logline.h
libbulkhead_a_SOURCES += lib/bulkhead/metrics.c lib/bulkhead/metrics.h
libbulkhead_a_SOURCES += lib/bulkhead/service.c lib/bulkhead/service.h
libbulkhead_a_SOURCES += lib/bulkhead/settings.c lib/bulkhead/settings.h \
	lib/bulkhead/settings_build.c lib/bulkhead/settings_build.h \
	lib/bulkhead/settings_check.c lib/bulkhead/settings_check.h \
	lib/bulkhead/settings_json.c \
	lib/bulkhead/settings_lex.c lib/bulkhead/settings_lex.h \
	lib/bulkhead/settings_read.c lib/bulkhead/settings_read.h \
	lib/bulkhead/settings_report.c lib/bulkhead/settings_report.h \
	lib/bulkhead/settings_scan.c lib/bulkhead/settings_scan.h \
	lib/bulkhead/settings_table.c lib/bulkhead/settings_table.h \
	lib/bulkhead/settings_write.c lib/bulkhead/settings_write.h \
	lib/bulkhead/stream.c lib/bulkhead/stream.h
libbulkhead_a_SOURCES += \
	lib/bulkhead/token.c lib/bulkhead/token.h \
	lib/bulkhead/token_keys.c lib/bulkhead/token_keys.h
libbulkhead_a_SOURCES += lib/bulkhead/keyring.c lib/bulkhead/keyring.h
libbulkhead_a_SOURCES += lib/bulkhead/policy.h lib/bulkhead/policy_proto.h \
	lib/bulkhead/policy_proto.c lib/bulkhead/policy_proto_text.c
libbulkhead_a_SOURCES += lib/bulkhead/policy_client.c \
	lib/bulkhead/policy_client.h
libbulkhead_a_SOURCES += lib/bulkhead/limit.c lib/bulkhead/limit.h \
	lib/bulkhead/settings_limit.c lib/bulkhead/settings_limit.h
libbulkhead_a_SOURCES += lib/bulkhead/exporter.c lib/bulkhead/exporter.h \
	lib/bulkhead/exporter_text.c \
	lib/bulkhead/metrics_help.c lib/bulkhead/metrics_help.h \
	lib/bulkhead/rates.c lib/bulkhead/rates.h \
	lib/bulkhead/service_status.c lib/bulkhead/service_status.h
libbulkhead_a_SOURCES += lib/bulkhead/event_sink.c \
	lib/bulkhead/event_sink.h
libbulkhead_a_SOURCES += lib/bulkhead/exporter.h
