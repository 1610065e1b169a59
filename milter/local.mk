# bulkhead-milter: see main.c
