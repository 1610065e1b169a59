# What decides, for the daemon, its unit tests and the fuzzer.
TRACKD_PARTS = \
	trackd/request.h trackd/track.h \
	trackd/answer.c \
	trackd/forwarded.c trackd/forwarded.h \
	trackd/page_click.c \
	trackd/page_open.c \
	trackd/request.c \
	trackd/routes.c \
	trackd/visit.c \
	trackd/form.c trackd/form.h \
	trackd/language.c trackd/language.h \
	trackd/page_unsubscribe.c trackd/page_unsubscribe.h \
	trackd/page_unsubscribe_undo.c \
	trackd/pages.c trackd/pages.h trackd/pages_private.h \
	trackd/pages_load.c \
	trackd/pages_text.c trackd/pages_text.h \
	trackd/template.c trackd/template.h \
	trackd/durable.c trackd/durable.h \
	trackd/wish_record.c trackd/wish_record.h \
	trackd/wish_spool.c trackd/wish_spool.h \
	trackd/wish_spool_private.h \
	trackd/wish_spool_read.c trackd/wish_spool_write.c \
	trackd/robot.h trackd/robot.c trackd/robot_default.c \
	trackd/robot_parse.c trackd/robot_rules.h \
	trackd/burst.h trackd/burst.c

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
EXTRA_DIST += $(TRACKD_PARTS)

# conf/robots as an array, for robot_default.c.
BUILT_SOURCES += trackd/robots_text.inc
CLEANFILES += trackd/robots_text.inc
trackd/robots_text.inc: $(top_srcdir)/conf/robots
	$(AM_V_GEN)$(MKDIR_P) trackd && { \
	echo '/* Made of conf/robots by make. */'; \
	echo 'static const unsigned char robots_text[] = {'; \
	od -An -v -tu1 $(top_srcdir)/conf/robots | sed 's/[0-9][0-9]*/&,/g'; \
	echo '};'; } >$@.tmp && mv -f $@.tmp $@
trackd/robot_default.$(OBJEXT): trackd/robots_text.inc
