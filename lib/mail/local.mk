libbulkhead_a_SOURCES += lib/mail/addr.h
libbulkhead_a_SOURCES += lib/mail/charset.c lib/mail/charset.h
libbulkhead_a_SOURCES += lib/mail/header.c lib/mail/header_text.c \
	lib/mail/header.h
libbulkhead_a_SOURCES += \
	lib/mail/dkim.c lib/mail/dkim.h \
	lib/mail/dkim_canon.c lib/mail/dkim_canon.h \
	lib/mail/dkim_engine.c lib/mail/dkim_opendkim.c \
	lib/mail/dkim_fields.c lib/mail/dkim_fields.h \
	lib/mail/dkim_key.c lib/mail/dkim_key.h
libbulkhead_a_SOURCES += lib/mail/mime.c lib/mail/mime.h \
	lib/mail/mime_param.c lib/mail/mime_part.c lib/mail/mime_private.h
libbulkhead_a_SOURCES += lib/mail/splice.c lib/mail/splice.h
libbulkhead_a_SOURCES += \
	lib/mail/coding.c lib/mail/coding.h lib/mail/coding_private.h \
	lib/mail/coding_anew.c \
	lib/mail/coding_base64.c lib/mail/coding_qp.c \
	lib/mail/coding_qp_edit.c lib/mail/coding_qp_write.c
libbulkhead_a_SOURCES += lib/mail/addr.c lib/mail/addr_form.c \
	lib/mail/addr_mailbox.c lib/mail/addr_private.h
libbulkhead_a_SOURCES += \
	lib/mail/listhdr.c lib/mail/listhdr.h \
	lib/mail/returnpath.c lib/mail/returnpath.h
libbulkhead_a_SOURCES += \
	lib/mail/html.c lib/mail/html.h lib/mail/html_private.h \
	lib/mail/html_entities.c lib/mail/html_entity.c \
	lib/mail/html_markup.c lib/mail/html_tag.c lib/mail/html_text.c
libbulkhead_a_SOURCES += lib/mail/dkim_verify.c lib/mail/dkim_verify.h
libbulkhead_a_SOURCES += lib/mail/wire.c lib/mail/wire.h
