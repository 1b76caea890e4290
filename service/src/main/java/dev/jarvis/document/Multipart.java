package dev.jarvis.document;

import dev.jarvis.http.ApiException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.commons.fileupload2.core.AbstractFileUpload;
import org.apache.commons.fileupload2.core.DiskFileItem;
import org.apache.commons.fileupload2.core.DiskFileItemFactory;
import org.apache.commons.fileupload2.core.FileItemInputIterator;
import org.apache.commons.fileupload2.core.RequestContext;

/** A form's parts as they come in, by Apache Commons FileUpload's streaming reader. */
final class Multipart
    extends AbstractFileUpload<RequestContext, DiskFileItem, DiskFileItemFactory> {

  private Multipart() {
    setHeaderCharset(StandardCharsets.UTF_8);
  }

  /**
   * Opens a form.
   *
   * @throws ApiException.InvalidRequest if the body is said to be something else
   * @throws IOException if it cannot be read
   */
  static FileItemInputIterator parts(String contentType, InputStream body) throws IOException {
    RequestContext context = new Form(contentType, body);
    Multipart multipart = new Multipart();
    if (!isMultipartContent(context) || multipart.getBoundary(contentType) == null) {
      throw new ApiException.InvalidRequest(
          "The body must be multipart/form-data with a boundary.", null, "invalid_form");
    }
    return multipart.getItemIterator(context);
  }

  private record Form(String contentType, InputStream body) implements RequestContext {
    @Override
    public String getCharacterEncoding() {
      return StandardCharsets.UTF_8.name();
    }

    @Override
    public long getContentLength() {
      return -1; // not needed: the parts have limits of their own
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
    throw new UnsupportedOperationException("parts are read as they come in");
  }

  @Override
  public List<DiskFileItem> parseRequest(RequestContext request) {
    throw new UnsupportedOperationException("parts are read as they come in");
  }
}
