package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.parser.Parser;

/** Reads subtitles, SRT or WebVTT: what is said, under the time at which it is said. */
final class SubtitlesText {
  private static final Pattern TIMES =
      Pattern.compile(
          "\\s*((?:\\d+:)?\\d\\d?:\\d\\d)[.,]\\d+\\s*-->\\s*(?:\\d+:)?\\d\\d?:\\d\\d[.,]\\d+.*");

  /** Of speech that gets a time of its own. */
  private static final int MIN_CHARS = 600;

  /** Begins a block up to the next blank line. */
  private static final Pattern COMMENT = Pattern.compile("(?:NOTE|STYLE|REGION)(?:\\s.*)?");

  private static final Pattern NUMBER = Pattern.compile("\\s*\\d+\\s*");
  private static final Pattern MARKUP = Pattern.compile("<[^>\n]{0,200}>|\\{\\\\[^}\n]{0,200}\\}");

  private SubtitlesText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    String[] lines = PlainText.text(file, writer).split("\\R", -1);
    StringBuilder speech = new StringBuilder();
    String time = "";
    boolean web = lines[0].startsWith("WEBVTT");
    boolean cue = false;
    boolean comment = web; // the header is none either
    String before = "";
    for (int i = 0; i < lines.length; i++) {
      String line = lines[i];
      Matcher times = TIMES.matcher(line);
      if (times.matches()) {
        if (time.isEmpty() || speech.length() >= MIN_CHARS) {
          writer.add(0, time, speech.toString());
          speech.setLength(0);
          time = times.group(1);
        }
        cue = true;
        comment = false;
      } else if (line.isBlank()) {
        cue = false;
        comment = false;
      } else if (cue) {
        String said = said(line, web);
        if (!said.equals(before)) { // captions that scroll repeat their last line
          speech.append(said).append('\n');
        }
        before = said;
      } else if (web && COMMENT.matcher(line).matches()) {
        comment = true;
      } else if (!comment && !NUMBER.matcher(line).matches()) {
        speech.append(isIdentifier(lines, i) ? "" : line.strip() + "\n");
      }
    }
    writer.add(0, time, speech.toString());
  }

  private static String said(String line, boolean web) {
    String text = MARKUP.matcher(line).replaceAll("").strip();
    return web ? Parser.unescapeEntities(text, false) : text;
  }

  /** Whether the line before a cue's times names the cue. */
  private static boolean isIdentifier(String[] lines, int i) {
    return i + 1 < lines.length && TIMES.matcher(lines[i + 1]).matches();
  }
}
