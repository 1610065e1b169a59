libbulkhead_a_SOURCES += \
	lib/base/arena.c lib/base/arena.h \
	lib/base/base32.c lib/base/base32.h \
	lib/base/base64.c lib/base/base64.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/file.c lib/base/file.h \
	lib/base/hash.c lib/base/hash.h \
	lib/base/log.c lib/base/log.h \
	lib/base/net.c lib/base/net.h \
	lib/base/num.c lib/base/num.h \
	lib/base/str.c lib/base/str.h
libbulkhead_a_SOURCES += lib/base/json.c lib/base/json.h
libbulkhead_a_SOURCES += lib/base/budget.c lib/base/budget.h \
	lib/base/spool.c lib/base/spool.h
libbulkhead_a_SOURCES += lib/base/siv.c lib/base/siv.h
libbulkhead_a_SOURCES += lib/base/siphash.c lib/base/siphash.h
libbulkhead_a_SOURCES += lib/base/sort_external.c lib/base/sort_external.h \
	lib/base/sort_run.c lib/base/sort_run.h
