# SPDX-License-Identifier: Apache-2.0
"""crypto.py - what the makers of encrypted volumes need of libcrypto, which every system has."""
import ctypes
import ctypes.util

lib = ctypes.CDLL(ctypes.util.find_library('crypto'))
lib.EVP_CIPHER_CTX_new.restype = lib.EVP_get_cipherbyname.restype = ctypes.c_void_p
CCM_IV_BYTES, CCM_GET_TAG, CCM_SET_TAG = 0x9, 0x10, 0x11


def _begin(name, key, iv, tag=0):
    context, cipher = ctypes.c_void_p(lib.EVP_CIPHER_CTX_new()), ctypes.c_void_p(lib.EVP_get_cipherbyname(name.encode()))
    assert cipher.value, name
    assert lib.EVP_EncryptInit_ex(context, cipher, None, None, None) == 1
    if tag:
        lib.EVP_CIPHER_CTX_ctrl(context, CCM_IV_BYTES, len(iv), None)
        lib.EVP_CIPHER_CTX_ctrl(context, CCM_SET_TAG, tag, None)
    assert lib.EVP_EncryptInit_ex(context, None, None, key, iv) == 1
    lib.EVP_CIPHER_CTX_set_padding(context, 0)
    return context


def encrypt(name, key, iv, plain):
    """Whole blocks with a cipher by its name: aes-128-xts, aes-256-cbc, aes-256-ecb ..."""
    context = _begin(name, key, iv)
    out, n = ctypes.create_string_buffer(len(plain) + 32), ctypes.c_int()
    assert lib.EVP_EncryptUpdate(context, out, ctypes.byref(n), plain, len(plain)) == 1
    lib.EVP_CIPHER_CTX_free(context)
    assert n.value == len(plain)
    return out.raw[:n.value]


def ccm(key, nonce, plain):
    """The tag, then the encrypted bytes."""
    context = _begin('aes-256-ccm', key, nonce, 16)
    out, tag, n = ctypes.create_string_buffer(len(plain)), ctypes.create_string_buffer(16), ctypes.c_int()
    assert lib.EVP_EncryptUpdate(context, out, ctypes.byref(n), plain, len(plain)) == 1
    lib.EVP_CIPHER_CTX_ctrl(context, CCM_GET_TAG, 16, tag)
    lib.EVP_CIPHER_CTX_free(context)
    return tag.raw + out.raw
