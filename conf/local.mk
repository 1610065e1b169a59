dist_doc_DATA = conf/bulkhead.conf.sample
EXTRA_DIST += conf/bulkhead.conf.sample
dist_doc_DATA += conf/robots
