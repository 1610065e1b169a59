/*
 * processor.h - the faster of OpenSSL's routines for RSA on this processor.
 */
#ifndef BULKHEAD_MILTER_PROCESSOR_H
#define BULKHEAD_MILTER_PROCESSOR_H

/*
 * To be called first in main(): where OpenSSL's own choice is the slower one,
 * sets OPENSSL_ia32cap(3) and executes the program anew with argv, keeping
 * process and descriptors.  Returns where there is nothing to choose, where
 * the administrator has set the variable, or where it does not work.
 */
void processor_choose(char **argv);

#endif
