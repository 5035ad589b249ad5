// A stand-in for mongod: FerretDB 1, embedded, on SQLite files. What FerretDB leaves out is added around it: passwords,
// atomic writes, honest refusals, and recovery from a kill at any moment.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/build/version"
	"github.com/FerretDB/FerretDB/internal/backends/sqlite"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

const (
	product     = "FerretDB 1.24.2"
	stopGrace   = 700 * time.Millisecond
	scriptsPath = "/docker-entrypoint-initdb.d"
)

func main() {
	begun := time.Now()
	if err := start(os.Args[1:], begun); err != nil {
		fmt.Fprintln(os.Stderr, "mongod:", err)
		os.Exit(1)
	}
}

func start(arguments []string, begun time.Time) (err error) {
	wanted, err := parse(arguments)
	if err != nil {
		return err
	}
	if wanted.version {
		fmt.Printf("db version v%s (%s, a stand-in for mongod)\n", version.Get().MongoDBVersion, product)
		return nil
	}
	root, err := rootCredentials()
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if wanted.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	if len(wanted.ignored) > 0 {
		log.Warn("These options change nothing in this stand-in", "options", strings.Join(wanted.ignored, " "))
	}

	syscall.Umask(0o077)
	dir, err := openDataDir(wanted.dbPath, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	ferret, closeBackend, err := openFerret(wanted.dbPath)
	if err != nil {
		return err
	}
	defer func() { ferret.Close(); closeBackend() }()

	// Before the listeners, so that a stop during the preparation is not lost.
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	indexes, err := openIndexOptions(wanted.dbPath)
	if err != nil {
		return err
	}
	router := newRouter(ferret, indexes)
	if !dir.initialised() {
		if err := initialise(ctx, ferret, router.withoutAuth(), root); err != nil {
			return fmt.Errorf("the first start: %w", err)
		}
		if err := dir.markInitialised(); err != nil {
			return err
		}
	}
	go indexes.expire(ctx, router.withoutAuth(), wanted.expiry)
	router.auth = wanted.auth || root != credentials{}

	clients := newServer(ferret, router, log)
	for i, address := range wanted.listenOn() {
		bound, err := clients.listen("tcp", address)
		if err != nil {
			return err
		}
		if i == 0 {
			if err := dir.publish(bound); err != nil {
				return err
			}
		}
		log.Info("Waiting for connections", "address", bound.String(), "product", product, "dbpath", wanted.dbPath,
			"authorization", router.auth, "milliseconds", time.Since(begun).Milliseconds())
	}
	<-ctx.Done()
	log.Info("Stopping")
	clients.stop(stopGrace)
	return nil
}

// openFerret makes the handler of all commands. A commit is on the disk before it is acknowledged.
func openFerret(dbPath string) (*handler.Handler, func(), error) {
	version.Get().Package = "embedded"
	quiet := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn}))
	process, err := state.NewProvider("")
	if err != nil {
		return nil, nil, err
	}
	if err := process.Update(func(s *state.State) { s.DisableTelemetry(); s.TelemetryLocked = true }); err != nil {
		return nil, nil, err
	}
	inner, err := sqlite.NewBackend(&sqlite.NewBackendParams{
		URI: "file:" + filepath.ToSlash(dbPath) + "/?_pragma=synchronous(full)", L: quiet, P: process, BatchSize: insertAtOnce,
	})
	if err != nil {
		return nil, nil, err
	}
	ferret, err := handler.New(&handler.NewOpts{
		Backend: backend{inner}, L: quiet, ConnMetrics: connmetrics.NewListenerMetrics().ConnMetrics, StateProvider: process,
		BatchSize: insertAtOnce,
	})
	if err != nil {
		inner.Close()
		return nil, nil, err
	}
	return ferret, inner.Close, nil
}
