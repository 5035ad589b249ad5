package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestOptionsAreUnderstoodIgnoredOrRefused(t *testing.T) {
	parsed, err := parse(strings.Fields("--port=27018 --bind_ip 127.0.0.1,/tmp/x.sock --auth --wiredTigerCacheSizeGB 1 --quiet"))
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.listenOn(); !reflect.DeepEqual(got, []string{"127.0.0.1:27018"}) {
		t.Errorf("listens on %v", got)
	}
	if !parsed.auth || !reflect.DeepEqual(parsed.ignored, []string{"--wiredTigerCacheSizeGB", "--quiet"}) {
		t.Errorf("got %+v", parsed)
	}
	for line, reason := range map[string]string{
		"--replSet rs0":         "no replica set",
		"--tlsMode requireTLS":  "no TLS",
		"--configsvr":           "cluster",
		"--fork":                "foreground",
		"--no-such-option":      "not an option",
		"--port":                "wants a value",
		"--port 99999":          "not a port",
		"/etc/mongod.conf":      "not an option",
		"--config /nonexistent": "no such file",
	} {
		if _, err := parse(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestAConfigurationFileMeansTheSameAsOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mongod.conf")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("net: {port: 27020, bindIpAll: true}\nsecurity: {authorization: enabled}\nprocessManagement: {fork: false}\nsystemLog: {quiet: true}\n")
	parsed, err := parse([]string{"--config", path})
	if err != nil || parsed.port != 27020 || !parsed.auth || !reflect.DeepEqual(parsed.ignored, []string{"systemLog.quiet"}) {
		t.Errorf("got %+v, %v", parsed, err)
	}
	write("replication: {replSetName: rs0}\n")
	if _, err := parse([]string{"-f", path}); err == nil || !strings.Contains(err.Error(), "replication.replSetName") {
		t.Errorf("a replica set in the file: %v", err)
	}
}

func TestCredentialsComeInPairs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MONGO_INITDB_ROOT_USERNAME", "admin")
	if _, err := rootCredentials(); err == nil {
		t.Error("a user without a password was accepted")
	}
	t.Setenv("MONGO_INITDB_ROOT_PASSWORD_FILE", file)
	if got, err := rootCredentials(); err != nil || got != (credentials{"admin", "s3cret"}) {
		t.Errorf("got %v, %v", got, err)
	}
	t.Setenv("MONGO_INITDB_ROOT_PASSWORD", "other")
	if _, err := rootCredentials(); err == nil {
		t.Error("the variable and its file were both accepted")
	}
}
