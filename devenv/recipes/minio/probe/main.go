// One program, two names: `devenv-healthcheck` lists the buckets with the root credentials, `mc` knows `mc ready`.
package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var client = &http.Client{
	Timeout: 3 * time.Second,
	// The probe asks the server beside it, whose certificate is for other names.
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

func main() {
	run := func([]string) error { return listBuckets(localServer()) }
	name := filepath.Base(os.Args[0])
	if name == "mc" {
		run = mc
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// localServer returns the base URL of the server in this container.
func localServer() string {
	host, port, err := net.SplitHostPort(os.Getenv("MINIO_ADDRESS"))
	if err != nil || port == "" {
		port = "9000"
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	scheme := "http"
	if _, err := os.Stat(filepath.Join(os.Getenv("HOME"), ".minio/certs/public.crt")); err == nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func listBuckets(base string) error {
	request, err := http.NewRequest(http.MethodGet, base+"/", nil)
	if err != nil {
		return err
	}
	user, err := credential("MINIO_ROOT_USER", "MINIO_ACCESS_KEY")
	if err != nil {
		return err
	}
	password, err := credential("MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY")
	if err != nil {
		return err
	}
	sign(request, user, password, time.Now())
	return expectOK(request)
}

// credential reads a setting as the server's entrypoint does: the variable, its `_FILE` form, the old name, the default.
func credential(names ...string) (string, error) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value, nil
		}
		if file := os.Getenv(name + "_FILE"); file != "" {
			if !filepath.IsAbs(file) {
				file = filepath.Join("/run/secrets", file)
			}
			content, err := os.ReadFile(file)
			return strings.TrimRight(string(content), "\n"), err
		}
	}
	return "minioadmin", nil
}

func mc(arguments []string) error {
	var words []string
	path := "/minio/health/cluster"
	for _, argument := range arguments {
		switch {
		case argument == "--cluster-read":
			path = "/minio/health/cluster/read"
		case argument == "--maintenance":
			path = "/minio/health/cluster?maintenance=true"
		case argument == "--json" || argument == "--quiet" || argument == "--no-color" || argument == "--insecure":
		case strings.HasPrefix(argument, "-"):
			return refuse(argument)
		default:
			words = append(words, argument)
		}
	}
	if len(words) != 2 || words[0] != "ready" {
		return refuse(strings.Join(arguments, " "))
	}
	base, err := aliasURL(words[1])
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodGet, base+path, nil)
	if err != nil {
		return err
	}
	if err := expectOK(request); err != nil {
		return fmt.Errorf("the cluster %q is not ready: %w", words[1], err)
	}
	fmt.Printf("The cluster '%s' is ready\n", words[1])
	return nil
}

func refuse(what string) error {
	return fmt.Errorf("this image's mc only does `mc ready ALIAS [--cluster-read|--maintenance]`, not %q; "+
		"use an S3 client, such as the AWS command line or boto3", what)
}

// aliasURL knows `local` and what `MC_HOST_<alias>` says; there is no configuration file.
func aliasURL(alias string) (string, error) {
	if value := os.Getenv("MC_HOST_" + alias); value != "" {
		parsed, err := url.Parse(value)
		if err != nil {
			return "", errors.New("MC_HOST_" + alias + " is not a URL")
		}
		return parsed.Scheme + "://" + parsed.Host, nil
	}
	if alias == "local" {
		return localServer(), nil
	}
	return "", fmt.Errorf("unknown alias %q: set MC_HOST_%s=http://host:port", alias, alias)
}

func expectOK(request *http.Request) error {
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 300))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s %s", request.URL.Redacted(), response.Status, body)
	}
	return nil
}
