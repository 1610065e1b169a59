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
