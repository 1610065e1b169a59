# What decides, for the daemon, its unit tests and the fuzzer.
TRACKD_PARTS = \
	trackd/request.h trackd/track.h \
	trackd/answer.c \
	trackd/forwarded.c trackd/forwarded.h \
	trackd/page_click.c \
	trackd/page_open.c \
	trackd/request.c \
	trackd/routes.c \
	trackd/stubs.c \
	trackd/visit.c \
	trackd/robot.h trackd/burst.h trackd/durable.h

sbin_PROGRAMS += bulkhead-trackd
bulkhead_trackd_SOURCES = $(TRACKD_PARTS) \
	trackd/main.c \
	trackd/http.c trackd/http.h \
	trackd/http_answer.c trackd/http_answer.h \
	trackd/http_call.c trackd/http_call.h \
	trackd/lines.c trackd/lines.h \
	trackd/upkeep.c trackd/upkeep.h \
	trackd/world.c trackd/world.h
bulkhead_trackd_LDADD = $(DAEMON_LIBS)
