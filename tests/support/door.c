/* Certificates are of P-256, made by libcrypto; each connection has a thread that pumps its bytes. */
#include "support/door.h"

#include "support/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 64, PATIENCE_MS = 20000, DAY_S = 24 * 60 * 60 };

struct passage {
    struct door *door;
    pthread_t thread;
    int fd;
};

struct door {
    SSL_CTX *context;
    enum door_tls tls;
    int fd, port;
    atomic_int leads_to;
    char ca_file[64];
    pthread_t thread;
    struct passage passages[MOST_CONNECTIONS]; /* of `thread`, then of door_close() */
    size_t count;
};

/* --- certificates ----------------------------------------------------------------------------- */

static bool add_extension(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

struct certificate_plan {
    const char *name;        /* common name */
    const char *issuer_name; /* the same for a self-signed one */
    const char *alt_names;   /* NULL: an authority */
    long from_s, until_s;    /* from now */
};

static X509 *make_certificate(const struct certificate_plan *plan, EVP_PKEY *key, EVP_PKEY *signer)
{
    static atomic_int serial;
    X509 *made = X509_new();
    X509_NAME *issuer = X509_NAME_new();
    bool ok =
        made != NULL && issuer != NULL && X509_set_version(made, X509_VERSION_3) == 1
        && ASN1_INTEGER_set(X509_get_serialNumber(made), atomic_fetch_add(&serial, 1) + 1) == 1
        && X509_gmtime_adj(X509_getm_notBefore(made), plan->from_s) != NULL
        && X509_gmtime_adj(X509_getm_notAfter(made), plan->until_s) != NULL
        && X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                      (const unsigned char *)plan->name, -1, -1, 0)
               == 1
        && X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC,
                                      (const unsigned char *)plan->issuer_name, -1, -1, 0)
               == 1
        && X509_set_issuer_name(made, issuer) == 1 && X509_set_pubkey(made, key) == 1;
    if (plan->alt_names == NULL)
        ok = ok && add_extension(made, NID_basic_constraints, "critical,CA:TRUE")
             && add_extension(made, NID_key_usage, "critical,keyCertSign,cRLSign");
    else
        ok = ok && add_extension(made, NID_subject_alt_name, plan->alt_names);
    ok = ok && X509_sign(made, signer, EVP_sha256()) > 0;
    X509_NAME_free(issuer);
    if (ok)
        return made;
    X509_free(made);
    return NULL;
}

static bool write_certificate(const X509 *certificate, char *path)
{
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return false;
    bool ok = PEM_write_X509(file, certificate) == 1;
    return fclose(file) == 0 && ok;
}

static bool make_trust(struct door *door, enum door_certificate kind)
{
    static const char authority[] = "A private authority";
    const struct certificate_plan of_authority = { authority, authority, NULL, -DAY_S, DAY_S };
    struct certificate_plan plan = {
        "localhost", authority, "DNS:localhost,IP:127.0.0.1", -DAY_S, DAY_S,
    };
    if (kind == DOOR_WRONG_NAME)
        plan.alt_names = "DNS:elsewhere.example,IP:127.0.0.2";
    if (kind == DOOR_EXPIRED)
        plan.until_s = -60;
    if (kind == DOOR_NOT_YET)
        plan.from_s = DAY_S / 2;
    if (kind == DOOR_SELF_SIGNED)
        plan.issuer_name = plan.name;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    EVP_PKEY *signer = kind == DOOR_SELF_SIGNED ? key : kind == DOOR_STRANGER ? other : ca_key;
    X509 *ca = make_certificate(&of_authority, ca_key, ca_key);
    X509 *own = make_certificate(&plan, key, signer);
    bool ok = ca != NULL && own != NULL && write_certificate(ca, door->ca_file)
              && SSL_CTX_use_certificate(door->context, own) == 1
              && SSL_CTX_use_PrivateKey(door->context, key) == 1;
    X509_free(ca);
    X509_free(own);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    return ok;
}

/* TLS 1.1 signs with SHA-1, which is below the library's own floor. */
static void limit_version(SSL_CTX *context, enum door_tls tls)
{
    static const int versions[] = { 0, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };
    SSL_CTX_set_min_proto_version(context, versions[tls]);
    SSL_CTX_set_max_proto_version(context, versions[tls]);
    if (tls == DOOR_TLS_1_1)
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
}

/* --- passing bytes on ------------------------------------------------------------------------- */

/* One piece from the client; false at the end. */
static bool pass_in(SSL *tls, int plain)
{
    char piece[16384];
    int got = SSL_read(tls, piece, sizeof piece);
    return got > 0 && http_send(plain, (struct view){ piece, (size_t)got });
}

static bool pass_out(SSL *tls, int plain)
{
    char piece[16384];
    ssize_t got = recv(plain, piece, sizeof piece, 0);
    return got > 0 && SSL_write(tls, piece, (int)got) == (int)got;
}

static void pass_all(SSL *tls, int outer, int plain)
{
    bool goes_on = true;
    while (goes_on) {
        struct pollfd ends[] = { { .fd = outer, .events = POLLIN },
                                 { .fd = plain, .events = POLLIN } };
        if (SSL_pending(tls) == 0 && poll(ends, 2, -1) < 0)
            return;
        if (SSL_pending(tls) > 0 || ends[0].revents != 0)
            goes_on = pass_in(tls, plain);
        if (goes_on && ends[1].revents != 0)
            goes_on = pass_out(tls, plain);
    }
}

static void *serve_passage(void *user)
{
    struct passage *passage = user;
    SSL *tls = SSL_new(passage->door->context);
    if (SSL_set_fd(tls, passage->fd) == 1 && SSL_accept(tls) == 1) {
        int plain = http_connect(atomic_load(&passage->door->leads_to), PATIENCE_MS);
        if (plain >= 0) {
            pass_all(tls, passage->fd, plain);
            close(plain);
        }
        SSL_shutdown(tls);
    }
    SSL_free(tls);
    shutdown(passage->fd, SHUT_RDWR); /* closed by door_close(), which may still want to shut it */
    return NULL;
}

static void *await_visitors(void *user)
{
    struct door *door = user;
    for (int fd; (fd = accept(door->fd, NULL, NULL)) >= 0;) {
        if (door->count == MOST_CONNECTIONS) {
            close(fd);
            continue;
        }
        struct passage *passage = &door->passages[door->count];
        *passage = (struct passage){ .door = door, .fd = fd };
        if (pthread_create(&passage->thread, NULL, serve_passage, passage) == 0)
            door->count++;
        else
            close(fd);
    }
    return NULL;
}

/* --- open and close --------------------------------------------------------------------------- */

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0
        || listen(fd, MOST_CONNECTIONS) != 0
        || getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

struct door *door_open(enum door_certificate certificate, enum door_tls tls)
{
    struct door *door = calloc(1, sizeof *door);
    if (door == NULL)
        return NULL;
    snprintf(door->ca_file, sizeof door->ca_file, "/tmp/door-ca-XXXXXX");
    door->tls = tls;
    door->fd = listen_anywhere(&door->port);
    door->context = SSL_CTX_new(TLS_server_method());
    if (door->context != NULL)
        limit_version(door->context, tls);
    if (door->fd < 0 || door->context == NULL || !make_trust(door, certificate)
        || pthread_create(&door->thread, NULL, await_visitors, door) != 0) {
        SSL_CTX_free(door->context);
        if (door->fd >= 0)
            close(door->fd);
        unlink(door->ca_file);
        free(door);
        return NULL;
    }
    return door;
}

void door_close(struct door *door)
{
    shutdown(door->fd, SHUT_RDWR);
    pthread_join(door->thread, NULL);
    for (size_t i = 0; i < door->count; i++) {
        shutdown(door->passages[i].fd, SHUT_RDWR);
        pthread_join(door->passages[i].thread, NULL);
        close(door->passages[i].fd);
    }
    close(door->fd);
    unlink(door->ca_file);
    SSL_CTX_free(door->context);
    free(door);
}

void door_lead_to(struct door *door, int port)
{
    atomic_store(&door->leads_to, port);
}

int door_port(const struct door *door)
{
    return door->port;
}

const char *door_ca_file(const struct door *door)
{
    return door->ca_file;
}

bool door_lets_in(const struct door *door)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = NULL;
    int fd = http_connect(door->port, PATIENCE_MS);
    if (context != NULL) {
        limit_version(context, door->tls);
        tls = SSL_new(context);
    }
    bool ok = fd >= 0 && tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_connect(tls) == 1;
    SSL_free(tls);
    SSL_CTX_free(context);
    if (fd >= 0)
        close(fd);
    return ok;
}
