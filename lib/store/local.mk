libbulkhead_a_SOURCES += lib/store/gcra.c lib/store/gcra.h \
	lib/store/rate.h \
	lib/store/rate_ids.c lib/store/rate_ids.h \
	lib/store/rate_table.c lib/store/rate_table.h
