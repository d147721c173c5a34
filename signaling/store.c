/* The door to whichever store is in use. */
#include "signaling/store.h"

void sig_store_save_call(struct sig_store *store, const struct sig_call *call,
                         const struct sig_participant *changed, sig_store_saved_fn done,
                         void *data) {
    store->driver->save_call(store, call, changed, done, data);
}

void sig_store_find_call(struct sig_store *store, const char *id, sig_store_calls_fn done,
                         void *data) {
    store->driver->find_call(store, id, done, data);
}

void sig_store_list_calls(struct sig_store *store, const struct sig_store_query *query,
                          sig_store_calls_fn done, void *data) {
    store->driver->list_calls(store, query, done, data);
}

void sig_store_list_unfinished(struct sig_store *store, sig_store_calls_fn done, void *data) {
    store->driver->list_unfinished(store, done, data);
}

void sig_store_save_user(struct sig_store *store, const char *user_id, const char *name,
                         sig_store_saved_fn done, void *data) {
    store->driver->save_user(store, user_id, name, done, data);
}

void sig_store_find_user(struct sig_store *store, const char *user_id, sig_store_name_fn done,
                         void *data) {
    store->driver->find_user(store, user_id, done, data);
}

void sig_store_destroy(struct sig_store *store) {
    if (store)
        store->driver->destroy(store);
}
