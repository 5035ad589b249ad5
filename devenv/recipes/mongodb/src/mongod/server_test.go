package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"
	"github.com/FerretDB/wire/wireclient"
)

// peer is a server in this process and one connection to it.
type peer struct {
	*wireclient.Conn
	t      *testing.T
	socket string
	stop   func()
}

func serve(t *testing.T, directory string, auth bool) *peer {
	t.Helper()
	ferret, closeBackend, err := openFerret(directory)
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := openIndexOptions(directory)
	if err != nil {
		t.Fatal(err)
	}
	router := newRouter(ferret, indexes)
	if router.auth = auth; auth {
		if err := createRoot(ferret, credentials{"root", "secret"}); err != nil {
			t.Fatal(err)
		}
	}
	server := newServer(ferret, router, slog.Default())
	socket := filepath.Join(t.TempDir(), "s")
	if _, err := server.listen("unix", socket); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go indexes.expire(ctx, router.withoutAuth(), 20*time.Millisecond)
	stop := sync.OnceFunc(func() { cancel(); server.stop(time.Second); ferret.Close(); closeBackend() })
	t.Cleanup(stop)
	return (&peer{t: t, socket: socket, stop: stop}).again()
}

// again opens another connection to the same server.
func (p *peer) again() *peer {
	p.t.Helper()
	raw, err := net.Dial("unix", p.socket)
	if err != nil {
		p.t.Fatal(err)
	}
	return &peer{Conn: wireclient.New(raw, slog.New(slog.DiscardHandler)), t: p.t, socket: p.socket, stop: p.stop}
}

func (p *peer) command(database string, pairs ...any) *wirebson.Document {
	p.t.Helper()
	message := wire.MustOpMsg(append(pairs, "$db", database)...)
	_, body, err := p.Request(context.Background(), message)
	if err != nil {
		p.t.Fatal(err)
	}
	answer, err := body.(*wire.OpMsg).RawSection0().DecodeDeep()
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

func (p *peer) ok(database string, pairs ...any) *wirebson.Document {
	p.t.Helper()
	answer := p.command(database, pairs...)
	if answer.Get("ok") != 1.0 || answer.Get("writeErrors") != nil {
		p.t.Fatalf("%v: %s", pairs[0], wirebson.LogMessage(answer))
	}
	return answer
}

func (p *peer) count(database, collection string) int {
	p.t.Helper()
	return int(p.ok(database, "count", collection).Get("n").(int32))
}

func documents(ids ...string) *wirebson.Array {
	array := wirebson.MakeArray(len(ids))
	for _, id := range ids {
		if err := array.Add(wirebson.MustDocument("_id", id)); err != nil {
			panic(err)
		}
	}
	return array
}

func TestOnlyAuthenticatedConnectionsGetIn(t *testing.T) {
	p := serve(t, t.TempDir(), true)
	if answer := p.command("admin", "ping", int32(1)); answer.Get("ok") != 1.0 {
		t.Error("ping wants a password")
	}
	if answer := p.command("test", "find", "c"); answer.Get("codeName") != "Unauthorized" {
		t.Errorf("find without a password: %s", wirebson.LogMessage(answer))
	}
	if err := p.again().Login(context.Background(), "root", "wrong", "admin"); err == nil {
		t.Error("a wrong password was accepted")
	}
	if err := p.again().Login(context.Background(), "root", "secret", "other"); err == nil {
		t.Error("the user of another database was accepted")
	}
	if err := p.Login(context.Background(), "root", "secret", "admin"); err != nil {
		t.Fatal(err)
	}
	p.ok("app", "createUser", "someone", "pwd", "pw", "roles", wirebson.MustArray("readWrite"))
	other := p.again()
	if err := other.Login(context.Background(), "someone", "pw", "app"); err != nil {
		t.Fatal(err)
	}
	other.ok("app", "insert", "c", "documents", documents("a"))
}

func TestIncrementsOfManyClientsAllCount(t *testing.T) {
	p := serve(t, t.TempDir(), false)
	p.ok("test", "insert", "c", "documents", documents("n"))
	var clients sync.WaitGroup
	for range 4 {
		client := p.again()
		clients.Go(func() {
			for range 25 {
				client.command("test", "update", "c", "updates", wirebson.MustArray(wirebson.MustDocument(
					"q", wirebson.MustDocument("_id", "n"),
					"u", wirebson.MustDocument("$inc", wirebson.MustDocument("v", int32(1))))))
			}
		})
	}
	clients.Wait()
	found := p.ok("test", "find", "c").Get("cursor").(*wirebson.Document).Get("firstBatch").(*wirebson.Array).Get(0)
	if v := found.(*wirebson.Document).Get("v"); v != int32(100) {
		t.Errorf("the sum is %v, not 100", v)
	}
}

func TestAnOrderedInsertStopsAtItsFirstDuplicate(t *testing.T) {
	p := serve(t, t.TempDir(), false)
	ids := make([]string, 0, insertAtOnce+3)
	for i := range insertAtOnce {
		ids = append(ids, fmt.Sprint(i))
	}
	answer := p.command("test", "insert", "c", "documents", documents(append(ids, "7", "new")...))
	errors := answer.Get("writeErrors").(*wirebson.Array)
	failure := errors.Get(0).(*wirebson.Document)
	if answer.Get("n") != int32(insertAtOnce) || errors.Len() != 1 || failure.Get("index") != int32(insertAtOnce) ||
		failure.Get("code") != duplicateKey || !strings.Contains(failure.Get("errmsg").(string), "index: _id_ dup key: { _id: \"7\" }") {
		t.Errorf("got %s", wirebson.LogMessage(answer))
	}
	if n := p.count("test", "c"); n != insertAtOnce {
		t.Errorf("%d documents", n)
	}
}

func TestEveryUpdateStatementHasItsOwnResult(t *testing.T) {
	p := serve(t, t.TempDir(), false)
	p.ok("test", "createIndexes", "c", "indexes", wirebson.MustArray(
		wirebson.MustDocument("key", wirebson.MustDocument("k", int32(1)), "name", "k_1", "unique", true)))
	set := func(id string, k int32) *wirebson.Document {
		return wirebson.MustDocument("q", wirebson.MustDocument("_id", id),
			"u", wirebson.MustDocument("$set", wirebson.MustDocument("k", k)), "upsert", true)
	}
	answer := p.command("test", "update", "c", "ordered", false,
		"updates", wirebson.MustArray(set("a", 1), set("b", 1), set("a", 2), set("c", 3)))
	upserted, failed := answer.Get("upserted").(*wirebson.Array), answer.Get("writeErrors").(*wirebson.Array)
	if answer.Get("n") != int32(3) || answer.Get("nModified") != int32(1) || upserted.Len() != 2 ||
		upserted.Get(1).(*wirebson.Document).Get("index") != int32(3) ||
		failed.Get(0).(*wirebson.Document).Get("index") != int32(1) ||
		failed.Get(0).(*wirebson.Document).Get("keyPattern").(*wirebson.Document).Get("k") != int32(1) {
		t.Errorf("got %s", wirebson.LogMessage(answer))
	}
}

func TestPositionalPathsAndPipelinesUpdate(t *testing.T) {
	p := serve(t, t.TempDir(), false)
	item := func(k, v int32) *wirebson.Document { return wirebson.MustDocument("k", k, "v", v) }
	p.ok("test", "insert", "c", "documents", wirebson.MustArray(
		wirebson.MustDocument("_id", "x", "l", wirebson.MustArray(item(1, 0), item(2, 0), item(2, 5)))))
	inc := func(path string) *wirebson.Document {
		return wirebson.MustDocument("$inc", wirebson.MustDocument(path, int32(1)))
	}
	p.ok("test", "update", "c", "updates", wirebson.MustArray(
		wirebson.MustDocument("q", wirebson.MustDocument("l.k", int32(2)), "u", inc("l.$.v")),
		wirebson.MustDocument("q", wirebson.MustDocument(), "u", inc("l.$[].v")),
		wirebson.MustDocument("q", wirebson.MustDocument(), "u", inc("l.$[big].v"), "arrayFilters", wirebson.MustArray(
			wirebson.MustDocument("big.v", wirebson.MustDocument("$gt", int32(2))))),
		wirebson.MustDocument("q", wirebson.MustDocument(), "u", wirebson.MustArray(
			wirebson.MustDocument("$set", wirebson.MustDocument("n", wirebson.MustDocument("$size", "$l")))))))
	found := p.ok("test", "find", "c").Get("cursor").(*wirebson.Document).Get("firstBatch").(*wirebson.Array).Get(0)
	want := wirebson.MustDocument("_id", "x", "l", wirebson.MustArray(item(1, 1), item(2, 2), item(2, 7)), "n", int32(3))
	if got := wirebson.LogMessage(found); got != wirebson.LogMessage(want) {
		t.Errorf("got %s", got)
	}
	missed := p.command("test", "update", "c", "updates", wirebson.MustArray(
		wirebson.MustDocument("q", wirebson.MustDocument(), "u", inc("l.$.v"))))
	if missed.Get("writeErrors") == nil && missed.Get("ok") == 1.0 {
		t.Errorf("a place that the query does not name: %s", wirebson.LogMessage(missed))
	}
}

func TestWhatCannotBeHadIsRefused(t *testing.T) {
	p := serve(t, t.TempDir(), false)
	for name, pairs := range map[string][]any{
		"IllegalOperation":     {"insert", "c", "documents", documents("a"), "startTransaction", true, "autocommit", false},
		"NoReplicationEnabled": {"replSetGetStatus", int32(1)},
		"Location40573": {"aggregate", "c", "cursor", wirebson.MustDocument(),
			"pipeline", wirebson.MustArray(wirebson.MustDocument("$changeStream", wirebson.MustDocument()))},
		"CommandNotFound": {"noSuchCommand", int32(1)},
	} {
		if answer := p.command("test", pairs...); answer.Get("ok") != 0.0 || answer.Get("codeName") != name {
			t.Errorf("%s: %s", name, wirebson.LogMessage(answer))
		}
	}
	if n := p.count("test", "c"); n != 0 {
		t.Error("the transaction's statement was run")
	}
}

func TestExpiredDocumentsGoAndTheIndexSaysSo(t *testing.T) {
	directory := t.TempDir()
	p := serve(t, directory, false)
	ttl := func(seconds int32) *wirebson.Document {
		return p.command("test", "createIndexes", "c", "indexes", wirebson.MustArray(wirebson.MustDocument(
			"key", wirebson.MustDocument("at", int32(1)), "name", "at_1", "expireAfterSeconds", seconds)))
	}
	if answer := ttl(5); answer.Get("ok") != 1.0 {
		t.Fatal(wirebson.LogMessage(answer))
	}
	if answer := ttl(6); answer.Get("codeName") != "IndexOptionsConflict" {
		t.Errorf("other seconds: %s", wirebson.LogMessage(answer))
	}
	p.ok("test", "insert", "c", "documents", wirebson.MustArray(
		wirebson.MustDocument("_id", "old", "at", time.Now().Add(-time.Minute)),
		wirebson.MustDocument("_id", "new", "at", time.Now().Add(time.Minute)),
		wirebson.MustDocument("_id", "never")))
	for deadline := time.Now().Add(5 * time.Second); p.count("test", "c") != 2; {
		if time.Now().After(deadline) {
			t.Fatal("the old document is still there")
		}
	}
	p.stop()
	listed := serve(t, directory, false).ok("test", "listIndexes", "c")
	index := listed.Get("cursor").(*wirebson.Document).Get("firstBatch").(*wirebson.Array).Get(1).(*wirebson.Document)
	if index.Get("expireAfterSeconds") != int32(5) {
		t.Errorf("after a restart: %s", wirebson.LogMessage(index))
	}
}
