// One program, three names: `mongosh` and `mongo` know database commands and the expressions of health checks,
// `devenv-healthcheck` writes a document with the administrator's credentials.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/FerretDB/wire/wirebson"
)

const usage = "this image's mongosh runs database commands and the usual health checks: " +
	"mongosh [--host HOST] [--port PORT] [-u USER -p PASSWORD] [--authenticationDatabase DB] [--quiet] [ADDRESS|DB] " +
	"--eval 'db.runCommand({...})'; run MongoDB's own shell for anything else"

// quit ends the program with a code, as quit(1) in a script does.
type quit int

func (q quit) Error() string { return fmt.Sprintf("quit(%d)", int(q)) }

func main() {
	name := filepath.Base(os.Args[0])
	run := shell
	if name == "devenv-healthcheck" {
		run = func([]string) error { return healthcheck() }
	}
	err := run(os.Args[1:])
	var code quit
	if errors.As(err, &code) {
		os.Exit(int(code))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func shell(arguments []string) error {
	wanted, err := parseArguments(arguments)
	if err != nil {
		return err
	}
	if wanted.version {
		fmt.Println("0.0.0 (devenv's mongosh, commands only)")
		return nil
	}
	texts, each := wanted.eval, false
	if len(texts) == 0 {
		if texts, err = readInput(); err != nil {
			return err
		}
		each = true
	}
	// All of it is understood, or none of it runs.
	var programs []program
	for _, text := range texts {
		parsed, err := parse(text)
		if err != nil {
			return err
		}
		programs = append(programs, parsed)
	}
	session := &session{target: wanted.target, database: wanted.target.database}
	defer session.close()
	if !wanted.nodb {
		// `mongosh --eval 1` is a health check as well.
		if _, err := session.command("admin", wirebson.MustDocument("ping", int32(1))); err != nil {
			return err
		}
	}
	for _, one := range programs {
		if err := session.run(one, each); err != nil {
			return err
		}
	}
	return nil
}

// readInput takes a script from standard input; there is no interactive shell.
func readInput() ([]string, error) {
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return nil, errors.New(usage)
	}
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(content)) == "" {
		return nil, errors.New(usage)
	}
	return []string{string(content)}, nil
}
