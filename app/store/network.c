#include "app/store/network.h"

static const char add[] =
    "INSERT INTO developer_key_networks"
    " (developer_key_id, family, network, prefix_len, org_id, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
static const char remove_block[] =
    "DELETE FROM developer_key_networks"
    " WHERE developer_key_id = ?1 AND family = ?2 AND network = ?3 AND prefix_len = ?4";
static const char list[] =
    "SELECT family, network, prefix_len FROM developer_key_networks"
    " WHERE developer_key_id = ?1 ORDER BY family, network, prefix_len";
static const char not_behind[] =
    "SELECT family, network, prefix_len FROM developer_key_networks"
    " WHERE developer_key_id = ?1 AND family = ?2 AND (network, prefix_len) <= (?3, ?4)"
    " ORDER BY network DESC, prefix_len DESC LIMIT 1";

static struct cidr read_row(const struct db_rows *rows)
{
    struct cidr block = {
        .network.family = (uint8_t)db_int(rows, 0),
        .prefix_len = (uint8_t)db_int(rows, 2),
    };

    (void)db_blob(rows, 1, block.network.bytes, address_bytes(&block.network));
    return block;
}

static enum status keep_row(void *arg, const struct db_rows *rows)
{
    *(struct cidr *)arg = read_row(rows);
    return STATUS_OK;
}

/* The greatest of the key's blocks that sorts at or before limit. */
static enum status find_not_behind(struct db *db, struct cidr *out,
                                   const struct uuid *developer_key_id,
                                   const struct cidr *limit)
{
    return DB_FIRST(db, keep_row, out, not_behind,
                    DB_BLOB(developer_key_id->bytes, UUID_BYTES),
                    DB_INT(limit->network.family),
                    DB_BLOB(limit->network.bytes, address_bytes(&limit->network)),
                    DB_INT(limit->prefix_len));
}

enum status network_find(struct db *db, const struct uuid *developer_key_id,
                         const struct address *address, struct cidr *block)
{
    unsigned bits = (unsigned)address_bytes(address) * 8;
    struct cidr found;

    if (bits == 0)
        return STATUS_NOT_FOUND;
    for (;;) {
        struct cidr limit = {address_truncate(address, bits), (uint8_t)bits};
        enum status status = find_not_behind(db, &found, developer_key_id, &limit);
        if (status != STATUS_OK)
            return status;
        if (cidr_contains(&found, address))
            break;
        bits = address_common_bits(&found.network, address);
    }
    if (block != NULL)
        *block = found;
    return STATUS_OK;
}

enum status network_add(struct db *db, bool *added, const struct uuid *developer_key_id,
                        const struct uuid *org_id, const struct cidr *block, int64_t now_ms)
{
    int rows = 0;
    enum status status = DB_RUN(
        db, &rows, add, DB_BLOB(developer_key_id->bytes, UUID_BYTES),
        DB_INT(block->network.family),
        DB_BLOB(block->network.bytes, address_bytes(&block->network)),
        DB_INT(block->prefix_len), DB_BLOB(org_id->bytes, UUID_BYTES), DB_INT(now_ms));

    *added = rows > 0;
    return status;
}

enum status network_remove(struct db *db, const struct uuid *developer_key_id,
                           const struct cidr *block)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, remove_block, DB_BLOB(developer_key_id->bytes, UUID_BYTES),
               DB_INT(block->network.family),
               DB_BLOB(block->network.bytes, address_bytes(&block->network)),
               DB_INT(block->prefix_len));

    return status == STATUS_OK && rows == 0 ? STATUS_NOT_FOUND : status;
}

/* The callback that gets the rows of a statement. */
struct reader {
    network_each *each;
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct cidr block = read_row(rows);

    return reader->each(reader->arg, &block);
}

enum status network_list(struct db *db, const struct uuid *developer_key_id,
                         network_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list,
                   DB_BLOB(developer_key_id->bytes, UUID_BYTES));
}
