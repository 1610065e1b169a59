libbulkhead_a_SOURCES += lib/mail/addr.h
libbulkhead_a_SOURCES += lib/mail/charset.c lib/mail/charset.h
libbulkhead_a_SOURCES += lib/mail/header.c lib/mail/header_text.c \
	lib/mail/header.h
