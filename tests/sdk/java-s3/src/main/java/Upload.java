import java.net.URI;
import java.nio.file.Path;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Uploads a file several times to a URL: a line for each, with the error code if it was refused.
 *
 * <p>usage: Upload URL FILE (none|CRC32|CRC32C|SHA1|SHA256|CRC64NVME)...
 */
public final class Upload {
    public static void main(String[] arguments) {
        for (int i = 2; i < arguments.length; i++) {
            upload(arguments[0], Path.of(arguments[1]), arguments[i]);
        }
    }

    private static void upload(String url, Path file, String checksum) {
        boolean none = checksum.equals("none");
        try (S3Client s3 =
                S3Client.builder()
                        .endpointOverride(URI.create(url))
                        .region(Region.EU_WEST_1)
                        .forcePathStyle(true)
                        .credentialsProvider(EnvironmentVariableCredentialsProvider.create())
                        .requestChecksumCalculation(
                                none
                                        ? RequestChecksumCalculation.WHEN_REQUIRED
                                        : RequestChecksumCalculation.WHEN_SUPPORTED)
                        .build()) {
            PutObjectRequest.Builder request =
                    PutObjectRequest.builder().bucket("bucket").key("java-" + checksum);
            if (!none) {
                request.checksumAlgorithm(ChecksumAlgorithm.fromValue(checksum));
            }
            s3.putObject(request.build(), RequestBody.fromFile(file));
            System.out.println("ok " + checksum);
        } catch (S3Exception refused) {
            System.out.println("refused " + checksum + " " + refused.awsErrorDetails().errorCode());
        }
    }
}
