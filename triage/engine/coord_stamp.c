/* SPDX-License-Identifier: Apache-2.0 */
/* coord_stamp.c - RFC 3161 time stamps by libcrypto: the request, and what a reply says. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_seal.h"
#include "triage/error.h"
#include "triage/time.h"
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { IMPRINT_BYTES = 32, NONCE_BYTES = 8 };

static bool digest(GBytes *content, unsigned char *out) {
  gsize n;
  gconstpointer data = g_bytes_get_data(content, &n);
  return EVP_Digest(data != NULL ? data : "", n, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool set_imprint(TS_REQ *request, GBytes *content) {
  unsigned char imprint[IMPRINT_BYTES];
  X509_ALGOR *algorithm = X509_ALGOR_new();
  TS_MSG_IMPRINT *message = TS_MSG_IMPRINT_new();
  bool ok = digest(content, imprint) && algorithm != NULL && message != NULL &&
            X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
            TS_MSG_IMPRINT_set_algo(message, algorithm) == 1 &&
            TS_MSG_IMPRINT_set_msg(message, imprint, IMPRINT_BYTES) == 1 &&
            TS_REQ_set_msg_imprint(request, message) == 1;
  X509_ALGOR_free(algorithm);
  TS_MSG_IMPRINT_free(message);
  return ok;
}

static bool set_nonce(TS_REQ *request) {
  unsigned char bytes[NONCE_BYTES];
  BIGNUM *number = NULL;
  ASN1_INTEGER *nonce = NULL;
  bool ok = RAND_bytes(bytes, NONCE_BYTES) == 1 &&
            (number = BN_bin2bn(bytes, NONCE_BYTES, NULL)) != NULL &&
            (nonce = BN_to_ASN1_INTEGER(number, NULL)) != NULL &&
            TS_REQ_set_nonce(request, nonce) == 1;
  BN_free(number);
  ASN1_INTEGER_free(nonce);
  return ok;
}

GBytes *seal_request(GBytes *content, GError **error) {
  TS_REQ *request = TS_REQ_new();
  unsigned char *data = NULL;
  bool ok = request != NULL && TS_REQ_set_version(request, 1) == 1 &&
            set_imprint(request, content) && set_nonce(request) &&
            TS_REQ_set_cert_req(request, 1) == 1;
  int n = ok ? i2d_TS_REQ(request, &data) : -1;
  TS_REQ_free(request);
  if (n <= 0) {
    g_autofree char *why = seal_why();
    triage_fail(error, TRIAGE_REASON_INTERNAL, "no time-stamp request: %s", why);
    return NULL;
  }
  GBytes *bytes = g_bytes_new(data, (gsize)n);
  OPENSSL_free(data);
  return bytes;
}

/* Certificates have to be valid when the stamp says that it was made: cases outlive them. */
static X509_STORE *trust(const char *trusted, gint64 at) {
  X509_STORE *store = X509_STORE_new();
  if (store == NULL || X509_STORE_load_file(store, trusted) != 1) {
    X509_STORE_free(store);
    return NULL;
  }
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)at);
  return store;
}

/* The context owns what is put into it. */
static bool fill_context(TS_VERIFY_CTX *context, TS_REQ *request, GBytes *content,
                         const char *trusted, gint64 at) {
  if (request != NULL && TS_REQ_to_TS_VERIFY_CTX(request, context) == NULL)
    return false;
  if (request == NULL) {
    unsigned char *imprint = OPENSSL_malloc(IMPRINT_BYTES);
    if (imprint == NULL)
      return false;
    TS_VERIFY_CTX_set_imprint(context, imprint, IMPRINT_BYTES);
    TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_IMPRINT);
    if (!digest(content, imprint))
      return false;
  }
  if (trusted == NULL)
    return true;
  X509_STORE *store = trust(trusted, at);
  if (store == NULL)
    return false;
  TS_VERIFY_CTX_set_store(context, store);
  TS_VERIFY_CTX_add_flags(context, TS_VFY_SIGNATURE);
  return true;
}

static void take_time(TS_RESP *reply, SealFindings *out) {
  const ASN1_GENERALIZEDTIME *stated = TS_TST_INFO_get_time(TS_RESP_get_tst_info(reply));
  struct tm tm = {0};
  if (ASN1_TIME_to_tm(stated, &tm) != 1)
    return;
  out->unix_time = (gint64)timegm(&tm);
  TriageTime time = {.seconds = out->unix_time, .is_set = true};
  char text[64];
  triage_time_format(&time, text, sizeof text);
  out->when = g_strdup(text);
}

static bool is_same_imprint(TS_REQ *request, GBytes *content) {
  unsigned char wanted[IMPRINT_BYTES];
  TS_MSG_IMPRINT *imprint = TS_REQ_get_msg_imprint(request);
  const ASN1_OCTET_STRING *asked = TS_MSG_IMPRINT_get_msg(imprint);
  return digest(content, wanted) && ASN1_STRING_length(asked) == IMPRINT_BYTES &&
         memcmp(ASN1_STRING_get0_data(asked), wanted, IMPRINT_BYTES) == 0;
}

static TS_RESP *parse_reply(GBytes *bytes) {
  gsize n;
  const unsigned char *p = g_bytes_get_data(bytes, &n);
  return p != NULL ? d2i_TS_RESP(NULL, &p, (long)n) : NULL;
}

static TS_REQ *parse_request(GBytes *bytes) {
  gsize n;
  const unsigned char *p = g_bytes_get_data(bytes, &n);
  return p != NULL ? d2i_TS_REQ(NULL, &p, (long)n) : NULL;
}

static bool check(TS_RESP *reply, TS_REQ *request, GBytes *content, const char *trusted,
                  gint64 at) {
  TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
  bool ok = context != NULL && fill_context(context, request, content, trusted, at) &&
            TS_RESP_verify_response(context, reply) == 1;
  TS_VERIFY_CTX_free(context);
  return ok;
}

bool seal_check_reply(GBytes *reply_bytes, GBytes *request_bytes, GBytes *content,
                      const char *trusted, SealFindings *out, GError **error) {
  TS_RESP *reply = parse_reply(reply_bytes);
  TS_REQ *request = request_bytes != NULL ? parse_request(request_bytes) : NULL;
  bool ok = false;
  if (reply == NULL || TS_RESP_get_tst_info(reply) == NULL)
    triage_fail(error, TRIAGE_REASON_CORRUPT, "is no granted time-stamp reply (DER)");
  else if (request_bytes != NULL && request == NULL)
    triage_fail(error, TRIAGE_REASON_CORRUPT, "the request beside it cannot be read");
  else if (request != NULL && !is_same_imprint(request, content))
    triage_fail(error, TRIAGE_REASON_CORRUPT, "the request beside it is about another manifest");
  else {
    take_time(reply, out);
    ok = check(reply, request, content, trusted, out->unix_time);
    if (!ok) {
      g_autofree char *why = seal_why();
      triage_fail(error, TRIAGE_REASON_CORRUPT, "%s", why);
    }
  }
  ERR_clear_error();
  TS_RESP_free(reply);
  TS_REQ_free(request);
  return ok;
}
