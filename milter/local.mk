sbin_PROGRAMS += bulkhead-milter
bulkhead_milter_SOURCES = \
	milter/main.c \
	milter/callbacks.c \
	milter/listener.c milter/listener.h \
	milter/milter.h milter/mta_milter.c
bulkhead_milter_LDADD = $(BULKHEAD_LIBS) $(MILTER_LIBS)
