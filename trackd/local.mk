# What decides, for the daemon, its unit tests and the fuzzer.
TRACKD_PARTS = \
	trackd/request.h trackd/track.h \
	trackd/robot.h trackd/burst.h trackd/durable.h
EXTRA_DIST += $(TRACKD_PARTS)
