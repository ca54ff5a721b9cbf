/* SPDX-License-Identifier: Apache-2.0 */
/* coord_seal.h - seals of a case's manifest: a CMS signature (manifest.p7s, DER, detached), an RFC
 * 3161 time-stamp request (manifest.tsq) and its reply (manifest.tsr), all over manifest.sha256.
 * Nothing here speaks to a network: a request is taken to an authority by other means. */
#pragma once
#include <glib.h>
#include <stdbool.h>

/* ---- the cryptography, over bytes (coord_cms.c, coord_stamp.c) ---- */
typedef struct _SealKey SealKey;
/* Reads a PEM file with a private key and its certificate, others of its chain behind it. Fails
 * with a usage error where it holds no such pair or the key cannot sign. (transfer full) */
SealKey *seal_key_read(const char *path, GError **error);
void seal_key_free(SealKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealKey, seal_key_free)
GBytes *seal_sign(const SealKey *key, GBytes *content, GError **error); /* (transfer full) */

/* What a check came to: who signed, and whether anybody vouches for that. */
typedef struct {
  char *signer; /* subject of the certificate, or of the authority's; NULL: could not be read */
  char *when;   /* a time stamp's time, RFC 3339 UTC */
  gint64 unix_time;
} SealFindings;
void seal_findings_clear(SealFindings *findings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SealFindings, seal_findings_clear)

/* trusted: path of a PEM file with the certificates that are trusted, the signer's own or those
 * that issued it; NULL: whoever signed. at: at which time certificates have to be valid; 0: now. */
bool seal_check_signature(GBytes *signature, GBytes *content, const char *trusted, gint64 at,
                          SealFindings *out, GError **error);

GBytes *seal_request(GBytes *content, GError **error); /* (transfer full) */
/* Is reply an answer to request (NULL: lost), over content? trusted as above. */
bool seal_check_reply(GBytes *reply, GBytes *request, GBytes *content, const char *trusted,
                      SealFindings *out, GError **error);

/* Internal errors' text: the first of libcrypto's queue, which it empties. (transfer full) */
char *seal_why(void);

/* ---- the files of a case (coord_seal.c) ---- */
typedef struct {
  char *key_file; /* --sign; NULL: do not sign */
  bool wants_stamp;
  char *reply_file; /* an authority's reply to import; NULL: none */
} SealOptions;

/* Signs the manifest, writes a request, takes a reply over, as asked. key may be NULL. */
bool seal_case(const char *dir, const SealOptions *options, const SealKey *key, GError **error);

typedef struct {
  const char *signers;     /* --verify-signature; NULL: not asked */
  const char *authorities; /* --verify-timestamp; NULL: not asked */
} SealTrust;
/* One sentence for each seal that does not hold; notes: what else there is to say. */
void seal_check_case(const char *dir, const SealTrust *trust, GPtrArray *problems,
                     GPtrArray *notes);
