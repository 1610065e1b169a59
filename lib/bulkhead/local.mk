libbulkhead_a_SOURCES += \
	lib/bulkhead/names.h
