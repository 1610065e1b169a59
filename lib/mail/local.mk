libbulkhead_a_SOURCES += lib/mail/addr.h
