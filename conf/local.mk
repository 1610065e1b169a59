EXTRA_DIST += conf/bulkhead.conf.sample
