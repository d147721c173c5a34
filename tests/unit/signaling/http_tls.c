/* The same server under TLS, where the library stands between us and the client: requests,
 * WebSockets, and the ends of both. */
#include "signaling/http.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "signaling/websocket.h"
#include "tests/unit/signaling/site.h"

static struct {
    struct sig_websocket *socket;
    int closed;
    uint16_t code;
} seen;

static void on_text(struct sig_websocket *socket, const char *text, size_t len, void *data) {
    (void)data;
    if (strcmp(text, "close me") == 0)
        sig_websocket_close(socket, 4409, "over");
    else
        CHECK_INT(sig_websocket_send(socket, text, len), 0);
}

static void on_close(struct sig_websocket *socket, uint16_t code, void *data) {
    (void)socket;
    (void)data;
    seen.socket = NULL;
    seen.closed++;
    seen.code = code;
}

static const struct sig_websocket_events events = {on_text, on_close};
static const struct sig_websocket_limits limits = {.max_queue_bytes = 10000000};

static void on_ws(struct sig_http_request *request, void *data) {
    (void)data;
    sig_websocket_upgrade(&seen.socket, request, &events, NULL, &limits);
}

static void on_get(struct sig_http_request *request, void *data) {
    (void)data;
    CHECK(sig_http_is_tls(sig_http_server(request)));
    sig_http_reply(request, 200, "text/plain", "secret", 6);
}

static const struct sig_http_route routes[] = {
    {"GET", "/ws", on_ws, false},
    {"GET", "/", on_get, false},
};

/* Writes a key and a certificate of its own signing, valid for a minute. */
static void write_certificate(char *cert_path, char *key_path) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 60);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *cert_file = fdopen(mkstemp(cert_path), "w");
    FILE *key_file = fdopen(mkstemp(key_path), "w");
    CHECK(PEM_write_X509(cert_file, cert) == 1);
    CHECK(PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(cert_file);
    fclose(key_file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

struct tls_client {
    struct site *site;
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static struct site *open_site(void) {
    char cert[] = "/tmp/weir-cert-XXXXXX";
    char key[] = "/tmp/weir-key-XXXXXX";
    write_certificate(cert, key);
    struct site *site = site_open(&(struct sig_http_options){.tls_cert = cert, .tls_key = key});
    site_route(site, routes, 2, NULL);
    unlink(cert);
    unlink(key);
    return site;
}

/* Whether the call that returned result is to be made again, after a turn. */
static bool again(struct tls_client *client, int result) {
    int error = SSL_get_error(client->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return false;
    site_turn(client->site, client->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
    return true;
}

static struct tls_client client_open(struct site *site) {
    struct tls_client client = {.site = site, .context = SSL_CTX_new(TLS_client_method())};
    client.ssl = SSL_new(client.context);
    client.fd = site_connect(site);
    SSL_set_fd(client.ssl, client.fd);
    int result;
    uint64_t end = site_now_ms() + SITE_WAIT_MS;
    while ((result = SSL_connect(client.ssl)) != 1)
        CHECK(again(&client, result) && site_now_ms() < end);
    return client;
}

static void client_close(struct tls_client *client) {
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
}

static void client_write(struct tls_client *client, const void *bytes, size_t len) {
    int result;
    while ((result = SSL_write(client->ssl, bytes, (int)len)) <= 0)
        CHECK(again(client, result));
}

/* Reads until text has at least len bytes; false at the end of the stream. */
static bool client_read(struct tls_client *client, size_t len) {
    struct site *site = client->site;
    uint64_t end = site_now_ms() + SITE_WAIT_MS;
    while (site->len < len) {
        int got = SSL_read(client->ssl, site->text + site->len,
                           (int)(sizeof(site->text) - 1 - site->len));
        if (got > 0)
            site->len += (size_t)got;
        else if (!again(client, got))
            return false;
        CHECK(site_now_ms() < end);
    }
    site->text[site->len] = '\0';
    return true;
}

static void client_upgrade(struct tls_client *client) {
    static const char handshake[] =
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client->site->len = 0;
    client_write(client, handshake, strlen(handshake));
    do
        CHECK(client_read(client, client->site->len + 1));
    while (strstr(client->site->text, "\r\n\r\n") == NULL);
    CHECK_INT(site_status(client->site), 101);
    client->site->len = 0;
}

static void wait_for_close(struct site *site) {
    for (uint64_t end = site_now_ms() + SITE_WAIT_MS; !seen.closed && site_now_ms() < end;)
        site_turn(site, -1, 0);
    CHECK_INT(seen.closed, 1);
}

/* "Hello" and "close me", masked with zeros. */
#define HELLO "\x81\x85\0\0\0\0Hello"
#define CLOSE_ME "\x81\x88\0\0\0\0close me"

static void requests_are_answered(void) {
    struct site *site = open_site();
    struct tls_client client = client_open(site);
    for (int i = 0; i < 3; i++) {
        site->len = 0;
        client_write(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
        do
            CHECK(client_read(&client, site->len + 1));
        while (strstr(site->text, "secret") == NULL);
        CHECK_INT(site_status(site), 200);
    }
    client_close(&client);
    site_close(site);
}

static void sockets_echo_and_are_closed_from_both_sides(void) {
    struct site *site = open_site();
    struct tls_client client = client_open(site);
    client_upgrade(&client);
    client_write(&client, HELLO, sizeof(HELLO) - 1);
    CHECK(client_read(&client, 7));
    CHECK_BYTES(site->text, site->len, "\x81\x05Hello", 7);
    client_write(&client, "\x88\x82\0\0\0\0\x03\xe8", 8);
    CHECK(client_read(&client, 7 + 4));
    CHECK(!client_read(&client, 7 + 4 + 1));
    CHECK_INT(seen.closed, 1);
    CHECK_INT(seen.code, 1000);
    client_close(&client);

    client = client_open(site);
    client_upgrade(&client);
    client_write(&client, CLOSE_ME, sizeof(CLOSE_ME) - 1);
    CHECK(client_read(&client, 8));
    CHECK_BYTES(site->text, site->len, "\x88\x06\x11\x39over", 8);
    client_write(&client, "\x88\x82\0\0\0\0\x11\x39", 8);
    CHECK(!client_read(&client, 9));
    CHECK_INT(seen.closed, 1);
    client_close(&client);
    site_close(site);
}

static void a_client_that_is_killed_is_noticed_at_once(void) {
    struct site *site = open_site();
    struct tls_client client = client_open(site);
    client_upgrade(&client);
    uint64_t begin_ms = site_now_ms();
    client_close(&client);
    wait_for_close(site);
    CHECK_INT(seen.code, SIG_WEBSOCKET_ABNORMAL);
    CHECK(site_now_ms() - begin_ms < 5000);
    site_close(site);
}

static void much_is_sent_in_order(void) {
    static char part[50000];
    struct site *site = open_site();
    struct tls_client client = client_open(site);
    client_upgrade(&client);
    for (int i = 0; i < 60; i++) {
        memset(part, 'a' + i % 26, sizeof(part));
        CHECK_INT(sig_websocket_send(seen.socket, part, sizeof(part)), 0);
    }
    sig_websocket_close(seen.socket, 1000, "");
    CHECK(client_read(&client, 60 * (sizeof(part) + 4) + 4));
    for (size_t i = 0; i < 60; i++)
        for (size_t j = 0; j < sizeof(part); j += 99)
            CHECK_INT(site->text[i * (sizeof(part) + 4) + 4 + j], 'a' + (int)i % 26);
    client_close(&client);
    site_close(site);
}

static void closing_the_server_ends_sockets(void) {
    struct site *site = open_site();
    struct tls_client client = client_open(site);
    struct tls_client idle = client_open(site);
    client_upgrade(&client);
    site_close(site);
    CHECK_INT(seen.closed, 1);
    CHECK_INT(seen.code, SIG_WEBSOCKET_GOING_AWAY);
    client_close(&client);
    client_close(&idle);
}

static void plain_bytes_and_half_handshakes_harm_nobody(void) {
    struct site *site = open_site();
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    int half = site_connect(site);
    CHECK(site_write(site, half, "\x16\x03\x01\x02", 4));
    struct tls_client client = client_open(site);
    client_close(&client);
    site_close(site);
    close(half);
}

static void a_key_that_is_not_the_certificates_is_an_error(void) {
    char paths[4][32] = {"/tmp/weir-a-XXXXXX", "/tmp/weir-b-XXXXXX", "/tmp/weir-c-XXXXXX",
                         "/tmp/weir-d-XXXXXX"};
    static const char *const listen[] = {"127.0.0.1:0"};
    write_certificate(paths[0], paths[1]);
    write_certificate(paths[2], paths[3]);
    uv_loop_t loop;
    struct sig_http *http = NULL;
    uv_loop_init(&loop);
    CHECK(sig_http_create(&http, &loop,
                          &(struct sig_http_options){.listen = listen,
                                                     .listen_count = 1,
                                                     .tls_cert = paths[0],
                                                     .tls_key = paths[3]}) < 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
    for (int i = 0; i < 4; i++)
        unlink(paths[i]);
}

static const struct test tests[] = {
    {"requests_are_answered", requests_are_answered},
    {"sockets_echo_and_are_closed_from_both_sides", sockets_echo_and_are_closed_from_both_sides},
    {"a_client_that_is_killed_is_noticed_at_once", a_client_that_is_killed_is_noticed_at_once},
    {"much_is_sent_in_order", much_is_sent_in_order},
    {"closing_the_server_ends_sockets", closing_the_server_ends_sockets},
    {"plain_bytes_and_half_handshakes_harm_nobody", plain_bytes_and_half_handshakes_harm_nobody},
    {"a_key_that_is_not_the_certificates_is_an_error",
     a_key_that_is_not_the_certificates_is_an_error},
};

TEST_MAIN(tests)
