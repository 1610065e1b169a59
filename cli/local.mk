# bulkhead: see main.c
