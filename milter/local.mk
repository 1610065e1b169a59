sbin_PROGRAMS += bulkhead-milter
bulkhead_milter_SOURCES = \
	milter/main.c \
	milter/callbacks.c \
	milter/drain.c milter/drain.h \
	milter/intake.c milter/intake.h \
	milter/listener.c milter/listener.h \
	milter/milter.h milter/mta_milter.c \
	milter/processor.c milter/processor.h \
	milter/signals.c \
	milter/socket.c milter/socket.h
bulkhead_milter_LDADD = $(DAEMON_LIBS) $(MILTER_LIBS)
if BUFFERED
bulkhead_milter_SOURCES += milter/buffered.c
bulkhead_milter_LDFLAGS = $(AM_LDFLAGS) $(MILTER_WRAP)
endif
