// "Add Notes to Contact" in Go, for comparison: net/http behind nginx, database/sql with
// mattn/go-sqlite3, one SQLite file, the schema of migrations/. The checks are those of the
// service, in its order. It keeps no chains, and no index in their place: it does less.
//
// One connection writes, a pool of others reads, all statements are prepared once. Look-ups
// come before the transaction, which is short; the conditions that could change meanwhile
// stand in the INSERT itself.
//
// Environment: DATABASE, KEY_FILE, SYNCHRONOUS (FULL or NORMAL), LISTEN (path of the socket).
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"golang.org/x/crypto/blake2b"
)

const (
	path         = "/apis/v2/public/crm/addNotestoContact"
	maxBodyBytes = 524288
	maxNoteBytes = 65536
	touchEveryMs = 60000
	notOwner     = "The API only supports notes being added by the member that owns the contact."
)

// refusal is an answer that is not a success.
type refusal struct {
	status   int
	code     string
	messages []string
}

func (r *refusal) Error() string { return r.code }

func refuse(code string, messages ...string) error {
	return &refusal{http.StatusOK, code, messages}
}

// text is a JSON string that may be absent, null, empty or of another type.
type text struct {
	value  string
	sent   bool // neither absent nor null nor ""
	string bool
}

func (t *text) UnmarshalJSON(raw []byte) error {
	t.string = raw[0] == '"'
	if !t.string {
		t.sent = !bytes.Equal(raw, []byte("null"))
		return nil
	}
	err := json.Unmarshal(raw, &t.value)
	t.sent = t.value != ""
	return err
}

func (t *text) invalid() bool { return t.sent && !t.string }

// flag is 0 or 1 in one of the ways in which clients send it.
type flag struct {
	value   int64
	sent    bool
	invalid bool
}

func (f *flag) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case `null`, `""`:
	case `0`, `"0"`, `false`:
		f.sent = true
	case `1`, `"1"`, `true`:
		f.sent, f.value = true, 1
	default:
		f.invalid = true
	}
	return nil
}

type body struct {
	APIKey          text `json:"api_key"`
	DeveloperSecret text `json:"developer_secret"`
	OrgID           text `json:"org_id"`
	MemberID        text `json:"member_id"`
	ContactID       text `json:"contact_id"`
	Note            text `json:"note"`
	NoteID          text `json:"note_id"`
	Visible         flag `json:"note_visibility"`
	Editable        flag `json:"note_editable"`
}

type uuid [16]byte

func parseUUID(s string) (id uuid, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(s[0:8]+s[9:13]+s[14:18]+s[19:23]+s[24:36]))
	return id, err == nil
}

func (id uuid) String() string {
	var out [36]byte
	hex.Encode(out[0:8], id[0:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:36], id[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func makeUUID(nowMs int64) (id uuid) {
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(nowMs))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

func isID(given text, id []byte) bool {
	parsed, ok := parseUUID(given.value)
	return ok && bytes.Equal(parsed[:], id)
}

type store struct {
	key                                                        []byte
	writer                                                     *sql.DB
	apiKey, developerKey, developerKeys, networks, contact     *sql.Stmt // of the readers
	note, insert, keep, update, touchAPIKey, touchDeveloperKey *sql.Stmt // of the writer
}

func open(dsn string, connections int) *sql.DB {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func openStore() *store {
	key, err := os.ReadFile(os.Getenv("KEY_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	dsn := "file:" + os.Getenv("DATABASE") + "?_busy_timeout=10000&_foreign_keys=on&_journal_mode=WAL"
	s := &store{key: key, writer: open(dsn+"&_txlock=immediate&_synchronous="+os.Getenv("SYNCHRONOUS"), 1)}
	prepare := func(db *sql.DB, query string) *sql.Stmt {
		statement, err := db.Prepare(query)
		if err != nil {
			log.Fatal(err)
		}
		return statement
	}
	s.note = prepare(s.writer, `SELECT author_id, editable, visible FROM notes
		WHERE note_id = ? AND contact_id = ?`)
	s.insert = prepare(s.writer, `INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at,
		version, content, editable, visible, written_by, written_at, developer_key_id, request_id, address)
		SELECT ?1, org_id, contact_id, owner_id, ?2, 1, ?3, ?4, ?5, owner_id, ?2, ?6, ?7, ?8
		FROM contacts WHERE contact_id = ?9 AND owner_id = ?10`)
	s.keep = prepare(s.writer, `INSERT INTO note_revisions (note_id, version, org_id, content, editable,
		visible, written_by, written_at, developer_key_id, request_id, address, country, city, network)
		SELECT note_id, version, notes.org_id, content, editable, visible, written_by, written_at,
		developer_key_id, request_id, address, country, city, network
		FROM notes JOIN contacts USING (contact_id) WHERE note_id = ? AND owner_id = ?`)
	s.update = prepare(s.writer, `UPDATE notes SET version = version + 1, written_by = ?, written_at = ?,
		content = ?, editable = ?, visible = ?, developer_key_id = ?, request_id = ?, address = ?,
		country = NULL, city = NULL, network = NULL WHERE note_id = ?`)
	s.touchAPIKey = prepare(s.writer, `UPDATE api_keys SET last_used_at = ? WHERE api_key_id = ?`)
	s.touchDeveloperKey = prepare(s.writer,
		`UPDATE developer_keys SET last_used_at = ? WHERE developer_key_id = ?`)

	readers := open(dsn+"&mode=ro&_query_only=1", 2*runtime.NumCPU())
	s.apiKey = prepare(readers, `SELECT api_key_id, api_keys.org_id, ifnull(last_used_at, 0)
		FROM api_keys JOIN members USING (member_id) WHERE hash = ? AND revoked_at IS NULL AND active`)
	s.developerKey = prepare(readers, `SELECT developer_key_id, ifnull(last_used_at, 0) FROM developer_keys
		WHERE hash = ? AND org_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`)
	s.developerKeys = prepare(readers, `SELECT developer_key_id FROM developer_keys
		WHERE org_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`)
	s.networks = prepare(readers, `SELECT network, prefix_len FROM developer_key_networks
		WHERE developer_key_id = ? AND family = ?`)
	s.contact = prepare(readers, `SELECT contacts.org_id, owner_id, active
		FROM contacts JOIN members ON member_id = owner_id WHERE contact_id = ?`)
	return s
}

func (s *store) hash(domain string, given text) []byte {
	if !given.string {
		return make([]byte, 32)
	}
	h, err := blake2b.New256(s.key)
	if err != nil {
		panic(err)
	}
	h.Write(append([]byte(domain), 0))
	h.Write([]byte(given.value))
	return h.Sum(nil)
}

type access struct {
	apiKeyID, orgID, developerKeyID  []byte
	apiKeyUsedAt, developerKeyUsedAt int64
}

func contains(network []byte, prefixLen int, address []byte) bool {
	whole, bits := prefixLen/8, prefixLen%8
	return bytes.Equal(network[:whole], address[:whole]) &&
		(bits == 0 || (network[whole]^address[whole])>>(8-bits) == 0)
}

func (s *store) mayComeFrom(ctx context.Context, developerKeyID, address []byte) (bool, error) {
	if address == nil {
		return false, nil
	}
	family := 6
	if len(address) == 4 {
		family = 4
	}
	rows, err := s.networks.QueryContext(ctx, developerKeyID, family)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var network sql.RawBytes
		var prefixLen int
		if err := rows.Scan(&network, &prefixLen); err != nil {
			return false, err
		}
		if contains(network, prefixLen, address) {
			return true, nil
		}
	}
	return false, rows.Err()
}

func (s *store) orgKnows(ctx context.Context, orgID, address []byte, nowMs int64) (bool, error) {
	rows, err := s.developerKeys.QueryContext(ctx, orgID, nowMs)
	if err != nil {
		return false, err
	}
	var ids [][]byte
	for rows.Next() && err == nil {
		var id []byte
		err = rows.Scan(&id)
		ids = append(ids, id)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	for i := 0; i < len(ids) && err == nil; i++ {
		var found bool
		if found, err = s.mayComeFrom(ctx, ids[i], address); found {
			return true, err
		}
	}
	return false, err
}

// Checks 1 to 6 in docs/api.md.
func (s *store) checkAccess(ctx context.Context, b *body, address []byte, nowMs int64) (*access, error) {
	a := &access{}
	if !b.APIKey.sent {
		return nil, refuse("MISSING_API_KEY", "Missing service instance")
	}
	err := s.apiKey.QueryRowContext(ctx, s.hash("api key", b.APIKey)).Scan(&a.apiKeyID, &a.orgID, &a.apiKeyUsedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refuse("INVALID_API_KEY", "Invalid API Key")
	}
	if err != nil {
		return nil, err
	}
	found := false
	if b.DeveloperSecret.sent {
		err = s.developerKey.QueryRowContext(ctx, s.hash("developer secret", b.DeveloperSecret), a.orgID, nowMs).
			Scan(&a.developerKeyID, &a.developerKeyUsedAt)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		found = err == nil
	}
	if found {
		if good, err := s.mayComeFrom(ctx, a.developerKeyID, address); good || err != nil {
			return a, err
		}
		return nil, refuse("IP_NOT_WHITELISTED", "IP address not whitelisted")
	}
	known, err := s.orgKnows(ctx, a.orgID, address, nowMs)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, refuse("IP_NOT_WHITELISTED", "IP address not whitelisted")
	}
	if !b.DeveloperSecret.sent {
		return nil, refuse("MISSING_DEVELOPER_SECRET", "Missing developer_secret")
	}
	return nil, refuse("INVALID_DEVELOPER_SECRET", "Invalid developer_secret")
}

// Checks 7 and 8.
func checkFields(b *body) error {
	var missing, invalid []string
	for _, field := range []struct {
		given *text
		label string
	}{{&b.OrgID, "org ID"}, {&b.MemberID, "member ID"}, {&b.ContactID, "contact ID"}, {&b.Note, "note"}} {
		isNote := field.given == &b.Note
		switch {
		case !field.given.sent || isNote && field.given.string && strings.TrimSpace(field.given.value) == "":
			missing = append(missing, "Missing "+field.label)
		case field.given.invalid(),
			isNote && (len(field.given.value) > maxNoteBytes || strings.IndexByte(field.given.value, 0) >= 0):
			invalid = append(invalid, "Invalid "+field.label)
		}
	}
	if b.NoteID.invalid() {
		invalid = append(invalid, "Invalid note ID")
	}
	if b.Visible.invalid {
		invalid = append(invalid, "Invalid note_visibility")
	}
	if b.Editable.invalid {
		invalid = append(invalid, "Invalid note_editable")
	}
	if missing != nil {
		return refuse("MISSING_FIELDS", missing...)
	}
	if invalid != nil {
		return refuse("INVALID_FIELDS", invalid...)
	}
	return nil
}

// Checks 9 to 11.
func (s *store) checkContact(ctx context.Context, b *body, a *access) (id uuid, owner []byte, err error) {
	var orgID []byte
	var active bool
	id, ok := parseUUID(b.ContactID.value)
	if !ok {
		return id, nil, refuse("NOT_FOUND", "Contact does not exist")
	}
	err = s.contact.QueryRowContext(ctx, id[:]).Scan(&orgID, &owner, &active)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil, refuse("NOT_FOUND", "Contact does not exist")
	}
	if err != nil {
		return id, nil, err
	}
	if !isID(b.OrgID, orgID) || !bytes.Equal(orgID, a.orgID) {
		return id, nil, refuse("WRONG_ORG",
			"You are trying to add a note to a contact that does not belong to your organization")
	}
	if !isID(b.MemberID, owner) || !active {
		return id, nil, refuse("NOT_OWNER", notOwner)
	}
	return id, owner, nil
}

// Checks 12 and 13. The flags that were not sent get their present values.
func (s *store) checkNote(ctx context.Context, tx *sql.Tx, b *body, noteID, contactID uuid, member []byte) error {
	var author []byte
	var editable, visible int64
	err := tx.StmtContext(ctx, s.note).QueryRowContext(ctx, noteID[:], contactID[:]).
		Scan(&author, &editable, &visible)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(author, member) && visible == 0 {
		return refuse("NOTE_NOT_FOUND", "Note does not exist")
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(author, member) && editable == 0 {
		return refuse("NOTE_NOT_EDITABLE", "Note is not editable")
	}
	if !b.Editable.sent {
		b.Editable.value = editable
	}
	if !b.Visible.sent {
		b.Visible.value = visible
	}
	return nil
}

func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed != 1 {
		return refuse("NOT_OWNER", notOwner)
	}
	return nil
}

// write is the transaction.
func (s *store) write(ctx context.Context, b *body, a *access, noteID, contactID uuid, member, address []byte,
	requestID string, nowMs int64) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if b.NoteID.sent {
		if err := s.checkNote(ctx, tx, b, noteID, contactID, member); err != nil {
			return err
		}
		if err := one(tx.StmtContext(ctx, s.keep).ExecContext(ctx, noteID[:], member)); err != nil {
			return err
		}
		err = one(tx.StmtContext(ctx, s.update).ExecContext(ctx, member, nowMs, b.Note.value, b.Editable.value,
			b.Visible.value, a.developerKeyID, requestID, address, noteID[:]))
	} else {
		err = one(tx.StmtContext(ctx, s.insert).ExecContext(ctx, noteID[:], nowMs, b.Note.value,
			b.Editable.value, b.Visible.value, a.developerKeyID, requestID, address, contactID[:], member))
	}
	if err == nil && nowMs-a.apiKeyUsedAt >= touchEveryMs {
		err = one(tx.StmtContext(ctx, s.touchAPIKey).ExecContext(ctx, nowMs, a.apiKeyID))
	}
	if err == nil && nowMs-a.developerKeyUsedAt >= touchEveryMs {
		err = one(tx.StmtContext(ctx, s.touchDeveloperKey).ExecContext(ctx, nowMs, a.developerKeyID))
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

type note struct {
	NoteID    string `json:"note_id"`
	ContactID string `json:"contact_id"`
	Content   string `json:"note_content"`
	Editable  int64  `json:"note_editable"`
	Visible   int64  `json:"note_visibility"`
}

func clientAddress(r *http.Request) []byte {
	address, err := netip.ParseAddr(r.Header.Get("X-Real-IP"))
	if err != nil || address.Zone() != "" {
		return nil
	}
	return address.Unmap().AsSlice()
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func readBody(b *body, w http.ResponseWriter, r *http.Request) error {
	if r.URL.Path != path {
		return &refusal{http.StatusNotFound, "UNKNOWN_ENDPOINT", []string{"Not found"}}
	}
	if r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", []string{"Method not allowed"}}
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(io.LimitReader(r.Body, maxBodyBytes+1)); err != nil {
		return err
	}
	if buffer.Len() > maxBodyBytes {
		return &refusal{http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", []string{"Request body is too large"}}
	}
	if err := json.Unmarshal(buffer.Bytes(), b); err != nil {
		return &refusal{http.StatusBadRequest, "INVALID_JSON", []string{"Request body is not valid JSON"}}
	}
	return nil
}

func (s *store) addNote(w http.ResponseWriter, r *http.Request, requestID string) (*note, error) {
	var b body
	ctx := r.Context()
	if err := readBody(&b, w, r); err != nil {
		return nil, err
	}
	nowMs := time.Now().UnixMilli()
	address := clientAddress(r)
	a, err := s.checkAccess(ctx, &b, address, nowMs)
	if err != nil {
		return nil, err
	}
	if err := checkFields(&b); err != nil {
		return nil, err
	}
	contactID, owner, err := s.checkContact(ctx, &b, a)
	if err != nil {
		return nil, err
	}
	noteID := makeUUID(nowMs)
	if b.NoteID.sent {
		var ok bool
		if noteID, ok = parseUUID(b.NoteID.value); !ok {
			return nil, refuse("NOTE_NOT_FOUND", "Note does not exist")
		}
	}
	// A request that has begun is finished, whether or not the client still waits.
	err = s.write(context.Background(), &b, a, noteID, contactID, owner, address, requestID, nowMs)
	if err != nil {
		return nil, err
	}
	return &note{noteID.String(), contactID.String(), b.Note.value, b.Editable.value, b.Visible.value}, nil
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && goodRequestID.MatchString(id) {
		return id
	}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		panic(err)
	}
	return hex.EncodeToString(random[:])
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID(r)
	status := http.StatusOK
	header := w.Header()
	answer := struct {
		Data   any    `json:"data"`
		Status string `json:"status"`
	}{nil, "success"}

	added, err := s.addNote(w, r, id)
	if err == nil {
		answer.Data = added
	} else {
		var r *refusal
		if !errors.As(err, &r) {
			log.Print(err)
			r = &refusal{http.StatusServiceUnavailable, "UNAVAILABLE",
				[]string{"The note was not stored. Try again."}}
		}
		answer.Data, answer.Status, status = r.messages, "error", r.status
		header.Set("X-Error-Code", r.code)
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		panic(err)
	}
	text := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Request-Id", id)
	w.WriteHeader(status)
	w.Write(text)
}

func main() {
	socket := os.Getenv("LISTEN")
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	os.Chmod(socket, 0o666)
	server := &http.Server{Handler: openStore(), ReadTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
