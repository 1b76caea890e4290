package dev.jarvis.storage;

import io.minio.AbortMultipartUploadArgs;
import io.minio.CompleteMultipartUploadArgs;
import io.minio.CreateMultipartUploadArgs;
import io.minio.MinioAsyncClient;
import io.minio.PutObjectArgs;
import io.minio.UploadPartArgs;
import io.minio.errors.MinioException;
import io.minio.messages.Part;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores a stream in parts, which it reads on the caller's thread. The client's {@code putObject}
 * reads streams on threads that all calls share, so that a few slow uploads would block the others.
 */
final class MultipartUpload {
  private static final Logger LOG = LoggerFactory.getLogger(MultipartUpload.class);

  /** The minimum for a part in S3; the memory that an upload needs. */
  private static final int PART_BYTES = 5 << 20;

  private final MinioAsyncClient client;
  private final String bucket;
  private final String key;

  MultipartUpload(MinioAsyncClient client, String bucket, String key) {
    this.client = client;
    this.bucket = bucket;
    this.key = key;
  }

  /** Stores the stream; the object does not exist before it is complete. */
  void store(InputStream content) throws MinioException, IOException {
    byte[] part = new byte[PART_BYTES]; // reused: each part is stored before the next is read
    int length = content.readNBytes(part, 0, PART_BYTES);
    if (length < PART_BYTES) {
      S3ObjectStore.await(
          client.putObject(
              PutObjectArgs.builder().bucket(bucket).object(key).data(part, length).build()));
      return;
    }
    String uploadId =
        S3ObjectStore.await(
                client.createMultipartUpload(
                    CreateMultipartUploadArgs.builder().bucket(bucket).object(key).build()))
            .result()
            .uploadId();
    try {
      complete(uploadId, parts(uploadId, part, content));
    } catch (MinioException | IOException | RuntimeException e) {
      abort(uploadId);
      throw e;
    }
  }

  private List<Part> parts(String uploadId, byte[] part, InputStream content)
      throws MinioException, IOException {
    List<Part> parts = new ArrayList<>();
    for (int length = PART_BYTES; length > 0; length = content.readNBytes(part, 0, PART_BYTES)) {
      parts.add(
          S3ObjectStore.await(
                  client.uploadPart(
                      UploadPartArgs.builder()
                          .bucket(bucket)
                          .object(key)
                          .uploadId(uploadId)
                          .partNumber(parts.size() + 1)
                          .data(part, length)
                          .build()))
              .part());
    }
    return parts;
  }

  private void complete(String uploadId, List<Part> parts) throws MinioException, IOException {
    S3ObjectStore.await(
        client.completeMultipartUpload(
            CompleteMultipartUploadArgs.builder()
                .bucket(bucket)
                .object(key)
                .uploadId(uploadId)
                .parts(parts.toArray(Part[]::new))
                .build()));
  }

  /**
   * Deletes the parts without waiting, because the caller has waited for a failed request already.
   */
  private void abort(String uploadId) {
    var ignored =
        client
            .abortMultipartUpload(
                AbortMultipartUploadArgs.builder()
                    .bucket(bucket)
                    .object(key)
                    .uploadId(uploadId)
                    .build())
            .whenComplete(
                (aborted, e) -> {
                  if (e != null) { // a lifecycle rule may delete them, see docs/documents.md
                    LOG.atDebug().setCause(e).log("the parts of an upload were not deleted");
                  }
                });
  }
}
