package dev.jarvis.provider;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/** A body whose first byte can be looked at. */
final class PeekStream extends PushbackInputStream {
  private static final int[] BYTE_ORDER_MARK = {0xEF, 0xBB, 0xBF};

  PeekStream(InputStream in) {
    super(in, 1);
  }

  /** The first byte that is no white space, which is still to be read; -1 for an empty body. */
  int peek() throws IOException {
    int next = read();
    for (int i = 0; i < BYTE_ORDER_MARK.length && next == BYTE_ORDER_MARK[i]; i++) {
      next = read();
    }
    while (next == ' ' || next == '\t' || next == '\n' || next == '\r') {
      next = read();
    }
    if (next >= 0) {
      unread(next);
    }
    return next;
  }

  void refuseHtml() throws IOException, ProviderException {
    if (peek() == '<') {
      throw ModelServerClient.html();
    }
  }
}
