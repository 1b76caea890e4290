package dev.jarvis.document;

import dev.jarvis.error.ApiException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.fileupload2.core.AbstractFileUpload;
import org.apache.commons.fileupload2.core.DiskFileItem;
import org.apache.commons.fileupload2.core.DiskFileItemFactory;
import org.apache.commons.fileupload2.core.FileItemInput;
import org.apache.commons.fileupload2.core.FileItemInputIterator;
import org.apache.commons.fileupload2.core.FileUploadException;
import org.apache.commons.fileupload2.core.RequestContext;
import org.jspecify.annotations.Nullable;

/**
 * Reads the parts of a form one after another, with Apache Commons FileUpload's streaming reader.
 * Every form that it cannot read, however malformed, leads to an {@link IOException}.
 */
final class Multipart
    extends AbstractFileUpload<RequestContext, DiskFileItem, DiskFileItemFactory> {

  /** Enough for a filename of 255 characters in every encoding that clients use. */
  private static final int MAX_HEADER_BYTES = 8_192;

  private final RequestContext form;
  private @Nullable FileItemInputIterator parts;

  /**
   * A part of the form.
   *
   * @param name the field
   * @param filename null if the part is not a file
   * @param content to be read before the next part is requested
   */
  record Part(String name, @Nullable String filename, InputStream content) {}

  /**
   * Opens a form.
   *
   * @throws ApiException.InvalidRequest if the content type is not that of a form
   */
  Multipart(String contentType, InputStream body) {
    setHeaderCharset(StandardCharsets.UTF_8);
    setMaxPartHeaderSize(MAX_HEADER_BYTES);
    form = new Form(contentType, body);
    if (!isMultipartContent(form) || getBoundary(contentType) == null) {
      throw new ApiException.InvalidRequest(
          "The body must be multipart/form-data with a boundary.", null, "invalid_form");
    }
  }

  /**
   * Returns the next part; empty at the end.
   *
   * @throws IOException if the body cannot be read or is malformed
   */
  Optional<Part> next() throws IOException {
    try {
      if (parts == null) {
        parts = getItemIterator(form); // reads the header of the first part
      }
      if (!parts.hasNext()) {
        return Optional.empty();
      }
      FileItemInput part = parts.next();
      return Optional.of(
          new Part(
              String.valueOf(part.getFieldName()),
              part.isFormField() ? null : String.valueOf(part.getName()),
              part.getInputStream()));
    } catch (IllegalArgumentException | NullPointerException | IndexOutOfBoundsException e) {
      throw new FileUploadException(
          "the header of a part is malformed", e); // the library fails on it
    }
  }

  private record Form(String contentType, InputStream body) implements RequestContext {
    @Override
    public String getCharacterEncoding() {
      return StandardCharsets.UTF_8.name();
    }

    @Override
    public long getContentLength() {
      return -1; // unknown; the sizes of the parts are limited instead
    }

    @Override
    public String getContentType() {
      return contentType;
    }

    @Override
    public InputStream getInputStream() {
      return body;
    }

    @Override
    public boolean isMultipartRelated() {
      return false;
    }
  }

  @Override
  public FileItemInputIterator getItemIterator(RequestContext request) throws IOException {
    return super.getItemIterator(request);
  }

  @Override
  public Map<String, List<DiskFileItem>> parseParameterMap(RequestContext request) {
    throw new UnsupportedOperationException("parts are read one after another");
  }

  @Override
  public List<DiskFileItem> parseRequest(RequestContext request) {
    throw new UnsupportedOperationException("parts are read one after another");
  }
}
