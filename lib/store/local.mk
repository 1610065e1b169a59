libbulkhead_a_SOURCES += lib/store/gcra.c lib/store/gcra.h \
	lib/store/rate.c lib/store/rate.h \
	lib/store/rate_ids.c lib/store/rate_ids.h \
	lib/store/rate_table.c lib/store/rate_table.h
libbulkhead_a_SOURCES += lib/store/store.c lib/store/store.h \
	lib/store/store_private.h lib/store/driver.h \
	lib/store/breaker.c lib/store/breaker.h \
	lib/store/suppress.c lib/store/suppress.h \
	lib/store/suppress_front.c lib/store/suppress_rules.h \
	lib/store/import.c \
	lib/store/meta.c lib/store/meta.h \
	lib/store/sieve.c lib/store/sieve.h
libbulkhead_a_SOURCES += lib/store/driver_sqlite.c lib/store/driver_sqlite.h \
	lib/store/driver_sqlite_change.c \
	lib/store/driver_sqlite_create.c \
	lib/store/driver_sqlite_file.c \
	lib/store/driver_sqlite_import.c \
	lib/store/driver_sqlite_meta.c \
	lib/store/driver_sqlite_open.c lib/store/driver_sqlite_open.h \
	lib/store/driver_sqlite_rates.c \
	lib/store/driver_sqlite_schema.c \
	lib/store/driver_sqlite_sieve.c \
	lib/store/driver_sqlite_suppress.c lib/store/driver_sqlite_suppress.h
libbulkhead_a_SOURCES += lib/store/driver_memory.c lib/store/driver_memory.h \
	lib/store/driver_memory_import.c \
	lib/store/driver_memory_meta.c \
	lib/store/driver_memory_suppress.c
libbulkhead_a_SOURCES += lib/store/driver_fail.c lib/store/driver_fail.h
libbulkhead_a_SOURCES += lib/store/writer.c lib/store/writer.h \
	lib/store/writer_events.c lib/store/writer_events.h \
	lib/store/writer_job.c lib/store/writer_job.h
libbulkhead_a_SOURCES += lib/store/driver_sqlite_removed.c
libbulkhead_a_SOURCES += lib/store/events.c lib/store/events.h \
	lib/store/events_private.h lib/store/events_text.c \
	lib/store/driver_sqlite_events.c lib/store/driver_sqlite_events.h \
	lib/store/driver_sqlite_events_day.c \
	lib/store/driver_sqlite_events_forget.c \
	lib/store/driver_sqlite_events_read.c
libbulkhead_a_SOURCES += lib/store/rollup.h
libbulkhead_a_SOURCES += lib/store/events.h lib/store/rollup.h
libbulkhead_a_SOURCES += lib/store/rollup.c \
	lib/store/rollup_batch.c lib/store/rollup_batch.h \
	lib/store/driver_sqlite_rollup.c \
	lib/store/driver_sqlite_rollup.h \
	lib/store/driver_sqlite_rollup_add.c \
	lib/store/driver_sqlite_rollup_forget.c \
	lib/store/driver_sqlite_mentions.c lib/store/driver_sqlite_mentions.h
