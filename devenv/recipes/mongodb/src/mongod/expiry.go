package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// expire deletes what TTL indexes say is too old, every interval until the context ends.
func (o *indexOptions) expire(ctx context.Context, router *router, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for name, options := range o.all() {
			if err := o.expireOne(conninfo.Ctx(ctx, conninfo.New()), router, name, options); err != nil {
				slog.Warn("Cannot delete expired documents", "database", name.database, "collection", name.collection,
					"error", err)
			}
		}
	}
}

func (o *indexOptions) expireOne(ctx context.Context, router *router, name indexName, options *wirebson.Document) error {
	field, err := keyField(ctx, router, name)
	if err != nil {
		return err
	}
	if field == "" {
		// The index went with its collection, or was dropped.
		return o.set(name, wirebson.MakeDocument(0))
	}
	seconds, ok := seconds(options.Get("expireAfterSeconds"))
	if !ok {
		return nil
	}
	limit := time.Now().Add(-seconds).Truncate(time.Millisecond)
	_, err = ask(ctx, router, wirebson.MustDocument(
		"delete", name.collection, "deletes", wirebson.MustArray(wirebson.MustDocument(
			"q", wirebson.MustDocument(field, wirebson.MustDocument("$lt", limit)), "limit", int32(0),
		)), "$db", name.database))
	return err
}

// keyField returns the first field of an index, and "" if there is no such index.
func keyField(ctx context.Context, router *router, name indexName) (string, error) {
	answer, err := ask(ctx, router, wirebson.MustDocument("listIndexes", name.collection, "$db", name.database))
	if err != nil {
		if handlererrors.ProtocolError(err).Document().Get("code") == int32(handlererrors.ErrNamespaceNotFound) {
			return "", nil
		}
		return "", err
	}
	batch, _ := answer.Get("cursor").(*wirebson.Document).Get("firstBatch").(*wirebson.Array)
	for _, index := range documentsOf(collect(batch)) {
		if key, ok := index.Get("key").(*wirebson.Document); ok && text(index, "name") == name.name {
			return key.Command(), nil
		}
	}
	return "", nil
}

func ask(ctx context.Context, router *router, command *wirebson.Document) (*wirebson.Document, error) {
	message, err := wire.NewOpMsg(command)
	if err != nil {
		return nil, err
	}
	reply, err := router.answer(ctx, message)
	if err != nil {
		return nil, err
	}
	return reply.RawSection0().DecodeDeep()
}

func seconds(value any) (time.Duration, bool) {
	switch value := value.(type) {
	case int32:
		return time.Duration(value) * time.Second, true
	case int64:
		return time.Duration(value) * time.Second, true
	case float64:
		return time.Duration(value * float64(time.Second)), true
	}
	return 0, false
}
