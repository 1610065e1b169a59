/*
 * dkim_key.c - private keys: parsed once, shared by all threads.
 */
#include "mail/dkim_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/hash.h"

#define MAX_PEM 65536

struct dkim_key {
	int refs; /* atomic */
	enum dkim_algorithm algorithm;
	const struct dkim_engine *engine;
	EVP_PKEY *pkey;
	EVP_MD_CTX *signer; /* set up once, to copy; NULL: cannot be */
	char *pem; /* for engines that need it */
};

/* Without this OpenSSL would ask for a passphrase on the terminal. */
static int
no_passphrase(char *buf, int size, int for_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)for_writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *
read_pem(struct str pem, const char **why)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (pem.n > MAX_PEM) {
		*why = "is longer than any key";
		return NULL;
	}
	bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (pkey == NULL)
		*why =
		    str_find(pem, STR("ENCRYPTED"), 0) < pem.n
			? "is encrypted: a key without a passphrase is needed"
			: "is no private key in PEM form";
	return pkey;
}

static EVP_MD_CTX *
signer_new(const struct dkim_key *k)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md =
	    k->algorithm == DKIM_RSA_SHA256 ? EVP_sha256() : NULL;

	if (ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, md, NULL, k->pkey) != 1) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static EVP_MD_CTX *
signer_copy(const EVP_MD_CTX *signer)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, signer) != 1) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/*
 * A copy takes OpenSSL 0.3 us; setting one up takes 3 to 8, in which it looks
 * its algorithms up by name.  3.0.0 copies none for Ed25519.
 */
static void
signer_prepare(struct dkim_key *k)
{
	EVP_MD_CTX *ctx = signer_new(k);
	EVP_MD_CTX *copy = ctx != NULL ? signer_copy(ctx) : NULL;

	if (copy != NULL) {
		/* or each signature would copy it once more */
		EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
		k->signer = ctx;
		ctx = NULL;
	}
	EVP_MD_CTX_free(copy);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
}

size_t
dkim_key_sign(const struct dkim_key *k, struct str data,
    unsigned char out[DKIM_MAX_SIGNATURE])
{
	EVP_MD_CTX *ctx = k->signer != NULL ? signer_copy(k->signer) :
					      signer_new(k);
	const unsigned char *in = (const unsigned char *)data.p;
	unsigned char hash[SHA256_SIZE];
	size_t n = DKIM_MAX_SIGNATURE, len = data.n;

	if (k->algorithm == DKIM_ED25519_SHA256) {
		hash_sha256(data, hash);
		in = hash;
		len = sizeof(hash);
	}
	if (ctx == NULL || EVP_DigestSign(ctx, out, &n, in, len) != 1) {
		ERR_clear_error();
		n = 0;
	}
	EVP_MD_CTX_free(ctx);
	return n;
}

bool
dkim_key_verify(const struct dkim_key *k, struct str data, struct str sig)
{
	bool is_rsa = k->algorithm == DKIM_RSA_SHA256;
	unsigned char hash[SHA256_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_good;

	if (!is_rsa)
		hash_sha256(data, hash);
	is_good = sig.n > 0 && ctx != NULL &&
		  EVP_DigestVerifyInit(ctx, NULL, is_rsa ? EVP_sha256() : NULL,
		      NULL, k->pkey) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
		      is_rsa ? (const unsigned char *)data.p : hash,
		      is_rsa ? data.n : sizeof(hash)) == 1;
	ERR_clear_error();
	EVP_MD_CTX_free(ctx);
	return is_good;
}

static bool
verifies_own(const struct dkim_key *k)
{
	struct str text = STR("bulkhead");
	unsigned char sig[DKIM_MAX_SIGNATURE];
	size_t n = dkim_key_sign(k, text, sig);

	return dkim_key_verify(k, text, str_make((const char *)sig, n));
}

/* The numbers of an RSA key, as OpenSSL names them. */
enum { N, E, D, P, Q, DP, DQ, QINV, PARTS };
static const char *const part_names[PARTS] = { OSSL_PKEY_PARAM_RSA_N,
	OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };

/* Is a * b = 1 modulo prime, or modulo prime - 1? */
static bool
are_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *prime,
    bool less_one, BN_CTX *ctx)
{
	BIGNUM *m = BN_dup(prime), *x = BN_new();
	bool good = m != NULL && x != NULL &&
		    (!less_one || BN_sub_word(m, 1) == 1) &&
		    BN_mod_mul(x, a, b, m, ctx) == 1 && BN_is_one(x);

	BN_clear_free(m);
	BN_clear_free(x);
	return good;
}

static bool
parts_fit(BIGNUM *const v[PARTS], BN_CTX *ctx)
{
	BIGNUM *n = BN_new();
	bool good = n != NULL && BN_mul(n, v[P], v[Q], ctx) == 1 &&
		    BN_cmp(n, v[N]) == 0;

	BN_free(n);
	return good && are_inverse(v[D], v[E], v[P], true, ctx) &&
	       are_inverse(v[D], v[E], v[Q], true, ctx) &&
	       are_inverse(v[DP], v[E], v[P], true, ctx) &&
	       are_inverse(v[DQ], v[E], v[Q], true, ctx) &&
	       are_inverse(v[QINV], v[Q], v[P], false, ctx);
}

static bool
rsa_is_whole(const EVP_PKEY *pkey)
{
	BIGNUM *v[PARTS] = { NULL };
	BN_CTX *ctx = BN_CTX_new();
	bool good = ctx != NULL;

	for (size_t i = 0; i < PARTS && good; i++)
		good = EVP_PKEY_get_bn_param(pkey, part_names[i], &v[i]);
	good = good && parts_fit(v, ctx);
	for (size_t i = 0; i < PARTS; i++)
		BN_clear_free(v[i]);
	BN_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* More than two primes: good for a signature, and nobody has them. */
static bool
has_third_prime(const EVP_PKEY *pkey)
{
	BIGNUM *p = NULL;
	bool has = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &p);

	BN_clear_free(p);
	ERR_clear_error();
	return has;
}

/*
 * A damaged key signs without an error, and nobody but the receivers would see
 * that nothing verifies.  RSA is checked by its numbers: cheaper by far than a
 * signature, and it finds damage that OpenSSL works around.
 */
static bool
key_works(const struct dkim_key *k)
{
	if (k->algorithm == DKIM_RSA_SHA256 && !has_third_prime(k->pkey))
		return rsa_is_whole(k->pkey);
	return verifies_own(k);
}

/* Sets the algorithm; NULL, or what is wrong with the key. */
static const char *
key_check(struct dkim_key *k)
{
	if (EVP_PKEY_is_a(k->pkey, "ED25519"))
		k->algorithm = DKIM_ED25519_SHA256;
	else if (EVP_PKEY_is_a(k->pkey, "RSA"))
		k->algorithm = DKIM_RSA_SHA256;
	else
		return "is of another kind than RSA or Ed25519";
	if (EVP_PKEY_get_size(k->pkey) > DKIM_MAX_SIGNATURE)
		return "is longer than any RSA key in use";
	signer_prepare(k);
	return key_works(k) ? NULL
			    : "is damaged: its parts do not belong together";
}

/* The text of a key, PKCS #8, in memory that is wiped when bio is freed. */
static struct str
key_text(const EVP_PKEY *pkey, BIO *bio)
{
	char *p;
	long n;

	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(
		bio, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    (n = BIO_get_mem_data(bio, &p)) <= 0)
		abort(); /* out of memory */
	return str_make(p, (size_t)n);
}

/* Written anew: libopendkim takes a text before the first line for DER. */
static char *
keep_text(const EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	struct str text = key_text(pkey, bio);
	char *pem = mem_alloc(text.n + 1);

	memcpy(pem, text.p, text.n);
	pem[text.n] = '\0';
	BIO_free(bio);
	return pem;
}

struct dkim_key *
dkim_key_parse_for(
    const struct dkim_engine *e, struct str pem, const char **why)
{
	EVP_PKEY *pkey = read_pem(pem, why);
	struct dkim_key *k;
	const char *wrong;

	if (pkey == NULL)
		return NULL;
	k = mem_alloc(sizeof(*k));
	*k = (struct dkim_key){ .refs = 1, .engine = e, .pkey = pkey };
	wrong = key_check(k);
	if (wrong != NULL) {
		*why = wrong;
		dkim_key_free(&k);
	} else if (e->needs_pem) {
		k->pem = keep_text(pkey);
	}
	return k;
}

struct dkim_key *
dkim_key_parse(struct str pem, const char **why)
{
	return dkim_key_parse_for(dkim_engine_default(), pem, why);
}

struct dkim_key *
dkim_key_ref(struct dkim_key *k)
{
	__atomic_add_fetch(&k->refs, 1, __ATOMIC_RELAXED);
	return k;
}

void
dkim_key_free(struct dkim_key **k)
{
	struct dkim_key *old = *k;

	*k = NULL;
	if (old == NULL ||
	    __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (old->pem != NULL)
		OPENSSL_cleanse(old->pem, strlen(old->pem));
	free(old->pem);
	EVP_MD_CTX_free(old->signer);
	EVP_PKEY_free(old->pkey);
	free(old);
}

const struct dkim_engine *
dkim_key_engine(const struct dkim_key *k)
{
	return k->engine;
}

const char *
dkim_key_pem(const struct dkim_key *k)
{
	return k->pem;
}

enum dkim_algorithm
dkim_key_algorithm(const struct dkim_key *k)
{
	return k->algorithm;
}

unsigned
dkim_key_bits(const struct dkim_key *k)
{
	if (k->algorithm == DKIM_ED25519_SHA256)
		return 256;
	return (unsigned)EVP_PKEY_get_bits(k->pkey);
}

static struct str
base64_text(struct arena *a, const unsigned char *p, size_t n)
{
	char *out = arena_bytes(a, BASE64_SIZE(n));

	return str_make(out, base64_write(out, p, n));
}

struct str
dkim_key_record(const struct dkim_key *k, struct arena *a)
{
	unsigned char raw[32], *der = NULL;
	size_t n = sizeof(raw);
	struct str p;
	int len;

	if (k->algorithm == DKIM_ED25519_SHA256) {
		if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n) != 1)
			abort(); /* a parsed key has its public half */
		p = base64_text(a, raw, n);
		return arena_printf(
		    a, "v=DKIM1; k=ed25519; p=%.*s", STR_ARG(p));
	}
	len = i2d_PUBKEY(k->pkey, &der);
	if (len <= 0)
		abort();
	p = base64_text(a, der, (size_t)len);
	OPENSSL_free(der);
	return arena_printf(a, "v=DKIM1; k=rsa; p=%.*s", STR_ARG(p));
}

struct secret {
	char *p;
	size_t n;
};

static void
secret_wipe(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->p, s->n);
}

static struct str
secret_copy(struct arena *a, const char *p, size_t n)
{
	struct secret *s = arena_alloc(a, sizeof(*s));

	s->p = arena_bytes(a, n);
	s->n = n;
	memcpy(s->p, p, n);
	arena_on_free(a, secret_wipe, s);
	return str_make(s->p, n);
}

struct str
dkim_key_create(struct arena *a, enum dkim_algorithm alg, unsigned bits)
{
	EVP_PKEY *pkey =
	    alg == DKIM_RSA_SHA256
		? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
		: EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	struct str text, pem;

	if (pkey == NULL)
		abort(); /* out of memory, or no randomness */
	text = key_text(pkey, bio);
	pem = secret_copy(a, text.p, text.n);
	BIO_free(bio); /* wipes it */
	EVP_PKEY_free(pkey);
	return pem;
}
