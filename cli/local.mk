bin_PROGRAMS += bulkhead
bulkhead_SOURCES = \
	cli/main.c cli/cmd.h \
	cli/cmd_config.c \
	cli/cmd_key.c \
	cli/cmd_preview.c \
	cli/cmd_token.c
bulkhead_LDADD = $(BULKHEAD_LIBS)
