package dev.jarvis.document;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDStream;
import org.apache.pdfbox.pdmodel.encryption.AccessPermission;
import org.apache.pdfbox.pdmodel.encryption.StandardProtectionPolicy;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.poi.xwpf.usermodel.XWPFDocument;

/** Documents of every type, created by the tests. */
public final class Corpus {
  static final String MARKDOWN =
      "# Lighthouse of Kermorvan\n\nThe keeper's cat is called Balthazar and weighs 6 kg.\n";
  public static final String HTML =
      "<!doctype html><html><head><title>Ferry</title><script>var hidden = 'zebra';</script></head>"
          + "<body><h1>Timetable</h1><p>The ferry to Molène leaves at 07:35.</p></body></html>";

  private Corpus() {}

  public static byte[] pdf(String... pages) throws IOException {
    try (PDDocument pdf = document(pages)) {
      return bytes(pdf);
    }
  }

  public static byte[] encryptedPdf() throws IOException {
    try (PDDocument pdf = document("secret")) {
      pdf.protect(new StandardProtectionPolicy("owner", "user", new AccessPermission()));
      return bytes(pdf);
    }
  }

  /** A small PDF whose page expands to many MiB of repeated content. */
  public static byte[] expandingPdf(int mebibytes, String same) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
      out.write("BT /F1 12 Tf 50 700 Td (Small.) Tj ".getBytes(StandardCharsets.UTF_8));
      byte[] mebibyte = same.repeat((1 << 20) / same.length()).getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < mebibytes; i++) {
        out.write(mebibyte);
      }
    }
    try (PDDocument pdf = document("A font.")) {
      PDStream stream = new PDStream(pdf);
      try (OutputStream out = stream.getCOSObject().createRawOutputStream()) {
        packed.writeTo(out);
      }
      stream.getCOSObject().setItem(COSName.FILTER, COSName.FLATE_DECODE);
      pdf.getPage(0).setContents(stream);
      return bytes(pdf);
    }
  }

  private static PDDocument document(String... pages) throws IOException {
    PDDocument pdf = new PDDocument();
    for (String text : pages) {
      PDPage page = new PDPage();
      pdf.addPage(page);
      if (!text.isEmpty()) {
        try (PDPageContentStream content = new PDPageContentStream(pdf, page)) {
          content.beginText();
          content.setFont(new PDType1Font(Standard14Fonts.FontName.HELVETICA), 12);
          content.newLineAtOffset(50, 700);
          content.showText(text);
          content.endText();
        }
      }
    }
    return pdf;
  }

  private static byte[] bytes(PDDocument pdf) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pdf.save(out);
    return out.toByteArray();
  }

  public static byte[] docx(String... paragraphs) throws IOException {
    try (XWPFDocument document = new XWPFDocument()) {
      for (String text : paragraphs) {
        document.createParagraph().createRun().setText(text);
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      document.write(out);
      return out.toByteArray();
    }
  }

  /** An Office file with one part of any type and content, even if Word never writes it. */
  public static byte[] officeFile(String mainType, String document) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      entry(
          zip,
          "[Content_Types].xml",
          "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
              + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
              + "<Override PartName=\"/word/document.xml\" ContentType=\"%s\"/></Types>"
                  .formatted(mainType));
      entry(
          zip,
          "_rels/.rels",
          "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
              + "<Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\""
              + " Target=\"word/document.xml\"/></Relationships>");
      entry(zip, "word/document.xml", document);
    }
    return out.toByteArray();
  }

  /** A book with a chapter of one sentence for each name of a file. */
  public static byte[] epub(String... chapters) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    StringBuilder manifest = new StringBuilder();
    StringBuilder spine = new StringBuilder();
    try (ZipOutputStream zip = new ZipOutputStream(bytes, StandardCharsets.UTF_8)) {
      entry(zip, "mimetype", "application/epub+zip");
      entry(
          zip,
          "META-INF/container.xml",
          "<container><rootfile full-path=\"book/book.opf\"/></container>");
      for (int i = 0; i < chapters.length; i++) {
        manifest.append(
            "<item id=\"c%d\" href=\"%s\" media-type=\"application/xhtml+xml\"/>"
                .formatted(i, chapters[i]));
        spine.append("<itemref idref=\"c%d\"/>".formatted(i));
        entry(
            zip,
            "book/" + chapters[i],
            "<html><body><p>This is %s.</p></body></html>".formatted(chapters[i]));
      }
      entry(
          zip,
          "book/book.opf",
          "<package><manifest>%s</manifest><spine>%s</spine></package>".formatted(manifest, spine));
    }
    return bytes.toByteArray();
  }

  private static void entry(ZipOutputStream zip, String name, String content) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(content.getBytes(StandardCharsets.UTF_8));
    zip.closeEntry();
  }
}
