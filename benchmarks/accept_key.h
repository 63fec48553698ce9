/* The answer to a Sec-WebSocket-Key (RFC 6455, section 4.2.2): base64 of the SHA-1 of key and GUID.

   SHA-1 (RFC 3174) is written out here so that the bare loop needs nothing but a compiler. */

#include <stdint.h>
#include <string.h>

#define KEY_CHARACTERS 24
#define ACCEPT_CHARACTERS 28

static uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

static void sha1_block(uint32_t state[5], const unsigned char block[64]) {
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | block[4 * t + 1] << 16 | block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 80; t++) w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f, k;
        if (t < 20) f = (b & c) | (~b & d), k = 0x5A827999;
        else if (t < 40) f = b ^ c ^ d, k = 0x6ED9EBA1;
        else if (t < 60) f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
        else f = b ^ c ^ d, k = 0xCA62C1D6;
        uint32_t next = rotate(a, 5) + f + e + k + w[t];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/* Writes ACCEPT_CHARACTERS to `answer`, without a final NUL. */
static void accept_key(const char *key, char *answer) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const unsigned length = KEY_CHARACTERS + sizeof guid - 1;
    unsigned char text[128] = {0}, digest[21] = {0};
    memcpy(text, key, KEY_CHARACTERS);
    memcpy(text + KEY_CHARACTERS, guid, sizeof guid - 1);
    text[length] = 0x80;
    text[126] = (unsigned char)(length * 8 >> 8), text[127] = (unsigned char)(length * 8);
    sha1_block(state, text);
    sha1_block(state, text + 64);
    for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)digest[3 * i] << 16 | digest[3 * i + 1] << 8 | digest[3 * i + 2];
        for (int j = 0; j < 4; j++) answer[4 * i + j] = digits[three >> (18 - 6 * j) & 63];
    }
    answer[ACCEPT_CHARACTERS - 1] = '=';
}
