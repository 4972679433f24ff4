// The AWS SDK for Go as a client of the broker, configured by the environment alone.
//
// usage: client STEP...
//
// A line for each step that went as it should, then how many calls were refused, as they had to be.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

var (
	ctx      = context.Background()
	account  = os.Getenv("COUNTERSIGN_ACCOUNT")
	partner  = "arn:aws:iam::" + account + ":role/partner"
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`
	refusals int
)

// A step did not go as it should.
func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func holds(condition bool, format string, values ...any) {
	if !condition {
		fail(format, values...)
	}
}

func must[T any](answer T, err error) T {
	holds(err == nil, "refused: %v", err)
	return answer
}

func equal[T comparable](found, expected T) {
	holds(found == expected, "%v, not %v", found, expected)
}

// What the environment says, or these credentials.
func configuration(key ...string) aws.Config {
	found := must(config.LoadDefaultConfig(ctx))
	if len(key) == 3 {
		found.Credentials = credentials.NewStaticCredentialsProvider(key[0], key[1], key[2])
	}
	return found
}

func whoami(key ...string) (string, error) {
	answer, err := sts.NewFromConfig(configuration(key...)).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", err
	}
	return *answer.Arn, nil
}

func assume(change func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	input := &sts.AssumeRoleInput{RoleArn: &partner, RoleSessionName: aws.String("monday")}
	change(input)
	return sts.NewFromConfig(configuration()).AssumeRole(ctx, input)
}

// The error must be of this code and status, and of the type of `kind` unless that is nil.
func refused(code string, status int, kind any, err error) {
	holds(err != nil, "no %s", code)
	var api smithy.APIError
	holds(errors.As(err, &api) && api.ErrorMessage() != "", "%v", err)
	equal(api.ErrorCode(), code)
	// Only an error that the model knows has a type of its own, which tells whose fault it was.
	if kind != nil {
		holds(errors.As(err, kind), "%T is not a %T", err, kind)
		equal(api.ErrorFault(), smithy.FaultClient)
	}
	var response *awshttp.ResponseError
	holds(errors.As(err, &response), "%v", err)
	equal(response.HTTPStatusCode(), status)
	holds(response.ServiceRequestID() != "", "no request ID")
	refusals++
}

func keys() {
	equal(must(whoami()), "arn:aws:iam::"+account+":user/sdk")
}

// The profile that the environment names: a role by a role by a user.
func chain() {
	equal(must(whoami()), "arn:aws:sts::"+account+":assumed-role/second/two")
}

func sessions() {
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}`
	granted := must(assume(func(input *sts.AssumeRoleInput) {
		input.ExternalId = aws.String("x:7")
		input.DurationSeconds = aws.Int32(900)
		input.Policy = &policy
		input.Tags = []ststypes.Tag{
			{Key: aws.String("team"), Value: aws.String("blue + green")},
			{Key: aws.String("größe"), Value: aws.String("")},
		}
		input.TransitiveTagKeys = []string{"team"}
	}))
	arn := "arn:aws:sts::" + account + ":assumed-role/partner/monday"
	equal(*granted.AssumedRoleUser.Arn, arn)
	holds(strings.HasSuffix(*granted.AssumedRoleUser.AssumedRoleId, ":monday"), "the role ID")
	holds(*granted.PackedPolicySize > 0, "no packed size")
	equal(int(*granted.SessionTokenSize), len(*granted.Credentials.SessionToken))
	left := time.Until(*granted.Credentials.Expiration).Seconds()
	holds(840 < left && left < 960, "%v seconds", left)
	key := []string{
		*granted.Credentials.AccessKeyId,
		*granted.Credentials.SecretAccessKey,
		*granted.Credentials.SessionToken,
	}
	equal(must(whoami(key...)), arn)
	client := iam.NewFromConfig(configuration(key...))
	must(client.ListRoles(ctx, nil))
	// The role may, the session policy says no.
	_, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("partner")})
	refused("AccessDenied", 403, nil, err)
}

func failures() {
	_, err := assume(func(*sts.AssumeRoleInput) {})
	refused("AccessDenied", 403, nil, err)
	_, err = assume(func(input *sts.AssumeRoleInput) { input.RoleSessionName = aws.String("x") })
	refused("ValidationError", 400, nil, err)
	_, err = assume(func(input *sts.AssumeRoleInput) {
		input.ExternalId, input.Policy = aws.String("x:7"), aws.String("{}")
	})
	refused("MalformedPolicyDocument", 400, new(*ststypes.MalformedPolicyDocumentException), err)

	id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	_, err = whoami(id, strings.Repeat("x", 40), "")
	refused("SignatureDoesNotMatch", 403, nil, err)
	_, err = whoami("AKIABBBBBBBBBBBBBBBB", secret, "")
	refused("InvalidClientTokenId", 403, nil, err)
	_, err = whoami("ASIABBBBBBBBBBBBBBBB", secret, "garbage")
	refused("InvalidClientTokenId", 403, nil, err)

	client := iam.NewFromConfig(configuration())
	certificate := &iam.GetServerCertificateInput{ServerCertificateName: aws.String("x")}
	_, err = client.GetServerCertificate(ctx, certificate)
	refused("InvalidAction", 400, nil, err)
	create := func(name, document string) error {
		input := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document}
		_, err := client.CreateRole(ctx, input)
		return err
	}
	exists := new(*iamtypes.EntityAlreadyExistsException)
	refused("EntityAlreadyExists", 409, exists, create("partner", trust))
	malformed := new(*iamtypes.MalformedPolicyDocumentException)
	refused("MalformedPolicyDocument", 400, malformed, create("bad", "{"))
}

func roles() {
	client := iam.NewFromConfig(configuration())
	name, description := "made", "naïve <b>&amp;</b>"
	made := must(client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName:                 &name,
		Path:                     aws.String("/sdk/"),
		Description:              &description,
		AssumeRolePolicyDocument: &trust,
		Tags:                     []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("blue + green = @:/")}},
	}))
	role := must(client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})).Role
	equal(*role.Arn, "arn:aws:iam::"+account+":role/sdk/made")
	equal(*role.RoleId, *made.Role.RoleId)
	equal(*role.Description, description)
	equal(*role.MaxSessionDuration, 3600)
	equal(len(role.Tags), 1)
	equal(*role.Tags[0].Value, "blue + green = @:/")
	holds(time.Since(*role.CreateDate).Abs() < time.Minute, "%v", role.CreateDate)
	var found, expected any
	document := must(url.PathUnescape(*role.AssumeRolePolicyDocument))
	holds(json.Unmarshal([]byte(document), &found) == nil, "%s", document)
	holds(json.Unmarshal([]byte(trust), &expected) == nil, "%s", trust)
	holds(reflect.DeepEqual(found, expected), "%s", document)

	names := map[string]int{}
	pages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		for _, role := range must(pages.NextPage(ctx)).Roles {
			names[*role.RoleName]++
			equal(names[*role.RoleName], 1)
		}
	}
	holds(len(names) >= 4 && names[name] == 1, "%v", names)

	must(client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}))
	_, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	refused("NoSuchEntity", 404, new(*iamtypes.NoSuchEntityException), err)
}

// The first two requests of this session name come to nothing.
func retries() {
	granted := must(assume(func(input *sts.AssumeRoleInput) {
		input.ExternalId, input.RoleSessionName = aws.String("x:7"), aws.String("unavailable")
	}))
	attempts, _ := retry.GetAttemptResults(granted.ResultMetadata)
	equal(len(attempts.Results), 3)
}

// The broker's clock is far from this one.
func skew() {
	arn, err := whoami()
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		fmt.Printf("clock refused %s: %s\n", api.ErrorCode(), api.ErrorMessage())
	default:
		equal(must(arn, err), "arn:aws:iam::"+account+":user/sdk")
		fmt.Println("clock corrected")
	}
}

// With nothing but a token of an identity provider.
func web() {
	arn := must(whoami())
	holds(strings.HasPrefix(arn, "arn:aws:sts::"+account+":assumed-role/app/"), "%v", arn)
}

func main() {
	steps := map[string]func(){
		"keys": keys, "chain": chain, "sessions": sessions, "errors": failures,
		"iam": roles, "retries": retries, "skew": skew, "web": web,
	}
	fmt.Println("version", aws.SDKVersion)
	for _, step := range os.Args[1:] {
		steps[step]()
		fmt.Println("ok", step)
	}
	fmt.Println("refusals", refusals)
}
