package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// sign adds an AWS Signature Version 4 for a request without body or query (docs: "Signature Calculations for the
// Authorization Header", Amazon S3 API reference).
func sign(request *http.Request, user, password string, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	scope := stamp[:8] + "/us-east-1/s3/aws4_request"
	request.Header.Set("X-Amz-Date", stamp)
	request.Header.Set("X-Amz-Content-Sha256", emptyBody)

	canonical := strings.Join([]string{
		request.Method, request.URL.EscapedPath(), "",
		"host:" + request.URL.Host, "x-amz-content-sha256:" + emptyBody, "x-amz-date:" + stamp, "",
		"host;x-amz-content-sha256;x-amz-date", emptyBody,
	}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, scope, hex.EncodeToString(digest[:])}, "\n")

	key := []byte("AWS4" + password)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+user+"/"+scope+
		",SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="+hex.EncodeToString(mac(key, text)))
}

func mac(key []byte, text string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(text))
	return hash.Sum(nil)
}
