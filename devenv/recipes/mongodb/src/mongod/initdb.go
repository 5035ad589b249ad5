package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/FerretDB/FerretDB/internal/handler"
)

// The script that sources the others, as upstream's entrypoint does.
const runScripts = "/usr/local/lib/mongodb/initdb.sh"

// initialise does what upstream's image does at the first start: the administrator, then the scripts, which find an
// open server on a socket of their own. Nobody else sees the server before it is done.
func initialise(ctx context.Context, ferret *handler.Handler, open *router, root credentials) error {
	if root != (credentials{}) {
		if err := createRoot(ferret, root); err != nil {
			return fmt.Errorf("cannot create user %q: %w", root.user, err)
		}
	}
	var scripts []string
	files, _ := filepath.Glob(filepath.Join(scriptsPath, "*"))
	for _, file := range files {
		switch filepath.Ext(file) {
		case ".sh":
			scripts = append(scripts, file)
		case ".js":
			slog.Warn("NOT RUN: this stand-in has no JavaScript; make it a .sh file that calls mongosh --eval "+
				"'db.runCommand({...})', or do it from the application", "file", file)
		}
	}
	if len(scripts) == 0 {
		return nil
	}
	scratch, err := os.MkdirTemp("", "initdb")
	if err != nil {
		return fmt.Errorf("%s needs a writable directory for temporary files: %w", scriptsPath, err)
	}
	defer os.RemoveAll(scratch)
	socket := filepath.Join(scratch, "mongodb.sock")
	clients := newServer(ferret, open, slog.Default())
	defer clients.stop(time.Second)
	if _, err := clients.listen("unix", socket); err != nil {
		return err
	}
	return runAll(ctx, scripts, socket, root)
}

func runAll(ctx context.Context, scripts []string, socket string, root credentials) error {
	slog.Info("Running the scripts for the first start", "files", strings.Join(scripts, " "))
	command := exec.CommandContext(ctx, "bash", append([]string{runScripts}, scripts...)...)
	command.Env = append(os.Environ(), "DEVENV_MONGOSH_SOCKET="+socket,
		"MONGO_INITDB_ROOT_USERNAME="+root.user, "MONGO_INITDB_ROOT_PASSWORD="+root.password)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("a script in %s failed (%w); it runs again at the next start", scriptsPath, err)
	}
	return nil
}
