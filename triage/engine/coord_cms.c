/* SPDX-License-Identifier: Apache-2.0 */
/* coord_cms.c - detached CMS signatures (RFC 5652) by libcrypto. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_seal.h"
#include "triage/error.h"
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

struct _SealKey {
  EVP_PKEY *key;
  X509 *certificate;
  STACK_OF(X509) * chain;
};

static void bio_clear(BIO **bio) {
  BIO_free_all(*bio);
}
#define auto_bio __attribute__((cleanup(bio_clear))) BIO *

char *seal_why(void) {
  const char *data = NULL;
  int flags = 0;
  unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
  const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
  bool has_data = (flags & ERR_TXT_STRING) != 0 && data != NULL && *data != '\0';
  g_autofree char *text = g_strdup_printf("%s%s%s", reason != NULL ? reason : "unknown cause",
                                          has_data ? ": " : "", has_data ? data : "");
  ERR_clear_error();
  return text_printable(text, strlen(text));
}

void seal_key_free(SealKey *key) {
  if (key == NULL)
    return;
  EVP_PKEY_free(key->key);
  X509_free(key->certificate);
  sk_X509_pop_free(key->chain, X509_free);
  g_free(key);
}

void seal_findings_clear(SealFindings *findings) {
  g_clear_pointer(&findings->signer, g_free);
  g_clear_pointer(&findings->when, g_free);
}

static BIO *bio_of(GBytes *bytes) {
  gsize n;
  gconstpointer data = g_bytes_get_data(bytes, &n);
  return BIO_new_mem_buf(data != NULL ? data : "", (int)n);
}

static GBytes *read_pem(const char *path, GError **error) {
  g_autoptr(GError) problem = NULL;
  GBytes *bytes = io_read_file(path, LIMIT_SEAL_BYTES, &problem);
  if (bytes == NULL)
    triage_fail(error, TRIAGE_REASON_USAGE, "%s", problem->message);
  return bytes;
}

/* All certificates of a PEM file, in their order. (transfer full), may be empty */
static STACK_OF(X509) * read_certificates(GBytes *pem) {
  STACK_OF(X509) *list = sk_X509_new_null();
  auto_bio bio = bio_of(pem);
  for (X509 *one; (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL;)
    sk_X509_push(list, one);
  ERR_clear_error(); /* the end of the file is an error to it */
  return list;
}

/* The certificate that belongs to the key leaves the list. */
static X509 *take_own(STACK_OF(X509) * list, EVP_PKEY *key) {
  for (int i = 0; i < sk_X509_num(list); i++)
    if (X509_check_private_key(sk_X509_value(list, i), key) == 1)
      return sk_X509_delete(list, i);
  ERR_clear_error();
  return NULL;
}

SealKey *seal_key_read(const char *path, GError **error) {
  g_autoptr(SealKey) key = g_new0(SealKey, 1);
  g_autofree char *shown = text_printable(path, strlen(path));
  g_autoptr(GBytes) pem = read_pem(path, error);
  if (pem == NULL)
    return NULL;
  auto_bio bio = bio_of(pem);
  key->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  if (key->key == NULL) {
    g_autofree char *why = seal_why();
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: holds no private key that can be read (PEM): %s",
                shown, why);
    return NULL;
  }
  key->chain = read_certificates(pem);
  key->certificate = take_own(key->chain, key->key);
  if (key->certificate == NULL) {
    triage_fail(error, TRIAGE_REASON_USAGE,
                "%s: holds no certificate of its private key; put both into one PEM file", shown);
    return NULL;
  }
  /* Whether this kind of key can sign (Ed25519 cannot, in OpenSSL 3.0) shows before the work. */
  g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
  g_autoptr(GBytes) trial = seal_sign(key, nothing, NULL);
  if (trial == NULL) {
    triage_fail(error, TRIAGE_REASON_USAGE,
                "%s: this kind of key cannot sign (CMS with SHA-256); take RSA or ECDSA", shown);
    return NULL;
  }
  return g_steal_pointer(&key);
}

GBytes *seal_sign(const SealKey *key, GBytes *content, GError **error) {
  auto_bio in = bio_of(content);
  auto_bio out = BIO_new(BIO_s_mem());
  enum { FLAGS = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP };
  CMS_ContentInfo *cms = CMS_sign(NULL, NULL, key->chain, NULL, FLAGS | CMS_PARTIAL);
  bool ok = cms != NULL &&
            CMS_add1_signer(cms, key->certificate, key->key, EVP_sha256(), FLAGS) != NULL &&
            CMS_final(cms, in, NULL, FLAGS) == 1 && i2d_CMS_bio(out, cms) == 1;
  CMS_ContentInfo_free(cms);
  if (!ok) {
    g_autofree char *why = seal_why();
    triage_fail(error, TRIAGE_REASON_INTERNAL, "this key cannot sign (CMS, SHA-256): %s", why);
    return NULL;
  }
  char *data;
  long n = BIO_get_mem_data(out, &data);
  return g_bytes_new(data, (gsize)n);
}

/* Trust in the certificates of a PEM file, whether they are authorities' or the signer's own. */
static X509_STORE *make_store(const char *trusted, gint64 at, GError **error) {
  g_autoptr(GBytes) pem = read_pem(trusted, error);
  if (pem == NULL)
    return NULL;
  X509_STORE *store = X509_STORE_new();
  STACK_OF(X509) *list = read_certificates(pem);
  int n = sk_X509_num(list);
  for (int i = 0; i < n; i++)
    X509_STORE_add_cert(store, sk_X509_value(list, i));
  sk_X509_pop_free(list, X509_free);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
  if (at != 0)
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)at);
  if (n > 0)
    return store;
  X509_STORE_free(store);
  g_autofree char *shown = text_printable(trusted, strlen(trusted));
  triage_fail(error, TRIAGE_REASON_USAGE, "%s: holds no certificate (PEM)", shown);
  return NULL;
}

static char *name_signer(CMS_ContentInfo *cms) {
  STACK_OF(X509) *signers = CMS_get0_signers(cms);
  if (signers == NULL || sk_X509_num(signers) == 0)
    return NULL;
  auto_bio out = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(out, X509_get_subject_name(sk_X509_value(signers, 0)), 0,
                     XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
  sk_X509_free(signers);
  char *data;
  long n = BIO_get_mem_data(out, &data);
  return text_printable(data, (gsize)n);
}

bool seal_check_signature(GBytes *signature, GBytes *content, const char *trusted, gint64 at,
                          SealFindings *out, GError **error) {
  X509_STORE *store = trusted != NULL ? make_store(trusted, at, error) : NULL;
  if (trusted != NULL && store == NULL)
    return false;
  auto_bio in = bio_of(signature);
  auto_bio data = bio_of(content);
  CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
  unsigned flags = CMS_BINARY | (trusted == NULL ? CMS_NO_SIGNER_CERT_VERIFY : 0U);
  bool ok = cms != NULL && CMS_verify(cms, NULL, store, data, NULL, flags) == 1;
  if (ok)
    out->signer = name_signer(cms);
  if (!ok) {
    g_autofree char *why = seal_why();
    triage_fail(error, TRIAGE_REASON_CORRUPT, "%s", why);
  }
  CMS_ContentInfo_free(cms);
  X509_STORE_free(store);
  return ok;
}
