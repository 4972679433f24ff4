import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.EntityAlreadyExistsException;
import software.amazon.awssdk.services.iam.model.IamException;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.AssumeRoleRequest;
import software.amazon.awssdk.services.sts.model.MalformedPolicyDocumentException;
import software.amazon.awssdk.services.sts.model.StsException;
import software.amazon.awssdk.services.sts.model.Tag;

/**
 * The AWS SDK for Java as a client of the broker, configured by the environment alone. The arguments
 * are steps.
 *
 * <p>A line for each step that went as it should, then how many calls were refused, as they had to
 * be.
 */
public final class Client {
    private static final String ACCOUNT = System.getenv("COUNTERSIGN_ACCOUNT");
    private static final String PARTNER = "arn:aws:iam::" + ACCOUNT + ":role/partner";
    private static final String TRUST =
            """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow",\
            "Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole"}]}"""
                    .formatted(ACCOUNT);
    private static int refusals = 0;

    private static void holds(boolean condition, Object detail) {
        if (!condition) {
            throw new AssertionError(detail);
        }
    }

    private static void equal(Object found, Object expected) {
        holds(found.equals(expected), found + ", not " + expected);
    }

    /** By what the environment says, or by these credentials. */
    private static <B extends AwsClientBuilder<B, C>, C> C client(B builder, AwsCredentials... key) {
        if (key.length == 1) {
            builder.credentialsProvider(StaticCredentialsProvider.create(key[0]));
        }
        return builder.build();
    }

    private static StsClient sts(AwsCredentials... key) {
        return client(StsClient.builder(), key);
    }

    private static IamClient iam(AwsCredentials... key) {
        return client(IamClient.builder(), key);
    }

    private static String whoami(AwsCredentials... key) {
        return sts(key).getCallerIdentity().arn();
    }

    private static AssumeRoleRequest.Builder assume() {
        return AssumeRoleRequest.builder().roleArn(PARTNER).roleSessionName("monday");
    }

    /** The call must fail with an error of this code, status and class, and not be made again. */
    private static void refused(
            String code, int status, Class<? extends AwsServiceException> kind, Callable<?> call)
            throws Exception {
        try {
            call.call();
        } catch (AwsServiceException error) {
            holds(kind.isInstance(error), error);
            equal(error.awsErrorDetails().errorCode(), code);
            holds(!error.awsErrorDetails().errorMessage().isEmpty(), "no message");
            equal(error.statusCode(), status);
            holds(error.requestId() != null, "no request ID");
            equal(error.numAttempts(), 1);
            refusals += 1;
            return;
        }
        throw new AssertionError("no " + code);
    }

    private static void keys() {
        equal(whoami(), "arn:aws:iam::" + ACCOUNT + ":user/sdk");
    }

    /** The profile that the environment names: a role by a role by a user. */
    private static void chain() {
        equal(whoami(), "arn:aws:sts::" + ACCOUNT + ":assumed-role/second/two");
    }

    private static void sessions() throws Exception {
        var policy =
                """
                {"Version":"2012-10-17","Statement":[\
                {"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}""";
        var granted =
                sts().assumeRole(
                                assume().externalId("x:7")
                                        .durationSeconds(900)
                                        .policy(policy)
                                        .tags(
                                                tag("team", "blue + green"),
                                                tag("größe", ""))
                                        .transitiveTagKeys("team")
                                        .build());
        var arn = "arn:aws:sts::" + ACCOUNT + ":assumed-role/partner/monday";
        equal(granted.assumedRoleUser().arn(), arn);
        holds(granted.assumedRoleUser().assumedRoleId().endsWith(":monday"), "the role ID");
        holds(granted.packedPolicySize() > 0, "no packed size");
        equal(granted.sessionTokenSize(), granted.credentials().sessionToken().length());
        var left = Duration.between(Instant.now(), granted.credentials().expiration()).toSeconds();
        holds(840 < left && left < 960, left + " seconds");
        var key =
                AwsSessionCredentials.create(
                        granted.credentials().accessKeyId(),
                        granted.credentials().secretAccessKey(),
                        granted.credentials().sessionToken());
        equal(whoami(key), arn);
        iam(key).listRoles();
        // The role may, the session policy says no.
        refused(
                "AccessDenied",
                403,
                IamException.class,
                () -> iam(key).getRole(get -> get.roleName("partner")));
    }

    private static Tag tag(String key, String value) {
        return Tag.builder().key(key).value(value).build();
    }

    private static void errors() throws Exception {
        var any = StsException.class;
        refused("AccessDenied", 403, any, () -> sts().assumeRole(assume().build()));
        var shortName = assume().roleSessionName("x").build();
        refused("ValidationError", 400, any, () -> sts().assumeRole(shortName));
        var malformed = assume().externalId("x:7").policy("{}").build();
        refused(
                "MalformedPolicyDocument",
                400,
                MalformedPolicyDocumentException.class,
                () -> sts().assumeRole(malformed));

        var id = System.getenv("AWS_ACCESS_KEY_ID");
        var secret = System.getenv("AWS_SECRET_ACCESS_KEY");
        var wrong = AwsBasicCredentials.create(id, "x".repeat(40));
        refused("SignatureDoesNotMatch", 403, any, () -> whoami(wrong));
        var unknown = AwsBasicCredentials.create("AKIABBBBBBBBBBBBBBBB", secret);
        refused("InvalidClientTokenId", 403, any, () -> whoami(unknown));
        var garbage = AwsSessionCredentials.create("ASIABBBBBBBBBBBBBBBB", secret, "garbage");
        refused("InvalidClientTokenId", 403, any, () -> whoami(garbage));

        refused(
            "InvalidAction", 400, IamException.class,
            () -> iam().getServerCertificate(it -> it.serverCertificateName("x")));
        refused(
                "EntityAlreadyExists",
                409,
                EntityAlreadyExistsException.class,
                () ->
                        iam().createRole(
                                        create ->
                                                create.roleName("partner")
                                                        .assumeRolePolicyDocument(TRUST)));
        refused(
                "MalformedPolicyDocument",
                400,
                software.amazon.awssdk.services.iam.model.MalformedPolicyDocumentException.class,
                () ->
                        iam().createRole(
                                        create ->
                                                create.roleName("bad")
                                                        .assumeRolePolicyDocument("{")));
    }

    private static void roles() throws Exception {
        var iam = iam();
        var name = "made";
        var description = "naïve <b>&amp;</b>";
        var team =
                software.amazon.awssdk.services.iam.model.Tag.builder()
                        .key("team")
                        .value("blue + green = @:/")
                        .build();
        var made =
                iam.createRole(
                        create ->
                                create.roleName(name)
                                        .path("/sdk/")
                                        .description(description)
                                        .assumeRolePolicyDocument(TRUST)
                                        .tags(team));
        var role = iam.getRole(get -> get.roleName(name)).role();
        equal(role.arn(), "arn:aws:iam::" + ACCOUNT + ":role/sdk/made");
        equal(role.roleId(), made.role().roleId());
        equal(role.description(), description);
        equal(role.maxSessionDuration(), 3600);
        equal(role.tags(), List.of(team));
        var age = Duration.between(role.createDate(), Instant.now()).abs();
        holds(age.compareTo(Duration.ofMinutes(1)) < 0, age);
        // The broker answers with the text as it was given, but for its encoding.
        var document = role.assumeRolePolicyDocument();
        equal(URLDecoder.decode(document, StandardCharsets.UTF_8), TRUST);

        var names = new HashSet<String>();
        for (var page : iam.listRolesPaginator(list -> list.maxItems(1))) {
            for (var found : page.roles()) {
                holds(names.add(found.roleName()), names);
            }
        }
        holds(names.size() >= 4 && names.contains(name), names);

        iam.deleteRole(delete -> delete.roleName(name));
        refused(
                "NoSuchEntity",
                404,
                NoSuchEntityException.class,
                () -> iam.getRole(get -> get.roleName(name)));
    }

    /** The first two requests of this session name come to nothing; the caller counts them. */
    private static void retries() {
        sts().assumeRole(assume().externalId("x:7").roleSessionName("unavailable").build());
    }

    /** The broker's clock is far from this one. */
    private static void skew() {
        try {
            equal(whoami(), "arn:aws:iam::" + ACCOUNT + ":user/sdk");
            System.out.println("clock corrected");
        } catch (AwsServiceException error) {
            var details = error.awsErrorDetails();
            System.out.println(
                    "clock refused " + details.errorCode() + ": " + details.errorMessage());
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Step> steps =
                Map.of(
                        "keys", Client::keys,
                        "chain", Client::chain,
                        "sessions", Client::sessions,
                        "errors", Client::errors,
                        "iam", Client::roles,
                        "retries", Client::retries,
                        "skew", Client::skew);
        System.out.println("version " + VersionInfo.SDK_VERSION);
        for (var step : arguments) {
            steps.get(step).run();
            System.out.println("ok " + step);
        }
        System.out.println("refusals " + refusals);
    }

    private Client() {}
}
