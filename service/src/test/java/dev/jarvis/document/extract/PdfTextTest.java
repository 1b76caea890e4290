package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts.FontName;
import org.apache.pdfbox.pdmodel.interactive.action.PDActionURI;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationFreeText;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationLink;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationText;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.destination.PDPageFitDestination;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDDocumentOutline;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineNode;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDTextField;
import org.apache.pdfbox.util.Matrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a reader of a printed PDF sees is its text. */
class PdfTextTest {
  private static final PDType1Font FONT = new PDType1Font(FontName.HELVETICA);
  private static final int LINE = 14;
  private static final int TOP = 700;

  @TempDir private Path folder;

  @FunctionalInterface
  private interface Drawing {
    void on(PDDocument pdf) throws IOException;
  }

  private List<Section> read(Drawing drawing) throws IOException, ExtractionException {
    Path file = folder.resolve("file.pdf");
    try (PDDocument pdf = new PDDocument()) {
      drawing.on(pdf);
      pdf.save(file.toFile());
    }
    List<Section> sections = new ArrayList<>();
    SectionWriter writer =
        new SectionWriter(10_000) {
          @Override
          void write(Section section) {
            sections.add(section);
          }
        };
    PdfText.read(file, 10, writer);
    return sections;
  }

  private static String text(List<Section> sections) {
    assertThat(sections).hasSize(1);
    return sections.getFirst().text().replaceAll(" +", " ");
  }

  private static PDPage page(PDDocument pdf) {
    PDPage page = new PDPage();
    pdf.addPage(page);
    return page;
  }

  private static void write(PDDocument pdf, PDPage page, Matrix at, String... lines)
      throws IOException {
    try (PDPageContentStream content =
        new PDPageContentStream(pdf, page, PDPageContentStream.AppendMode.APPEND, false, true)) {
      content.beginText();
      content.setFont(FONT, 12);
      content.setLeading(LINE);
      content.setTextMatrix(at);
      for (String line : lines) {
        content.showText(line);
        content.newLine();
      }
      content.endText();
    }
  }

  private static void write(PDDocument pdf, String... lines) throws IOException {
    write(pdf, page(pdf), at(50), lines);
  }

  private static Matrix at(float x) {
    return Matrix.getTranslateInstance(x, TOP);
  }

  @Test
  void readsTheValuesOfAFormWhereTheyStand() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              write(pdf, "Boat:", "Harbour dues are paid in advance.");
              PDAcroForm form = new PDAcroForm(pdf);
              pdf.getDocumentCatalog().setAcroForm(form);
              PDResources resources = new PDResources();
              resources.put(COSName.HELV, FONT);
              form.setDefaultResources(resources);
              PDTextField field = new PDTextField(form);
              field.setPartialName("boat");
              field.setDefaultAppearance("/Helv 12 Tf 0 g");
              field.getWidgets().getFirst().setRectangle(new PDRectangle(100, TOP - 4, 200, 16));
              field.getWidgets().getFirst().setPage(pdf.getPage(0));
              pdf.getPage(0).getAnnotations().add(field.getWidgets().getFirst());
              form.getFields().add(field);
              field.setValue("Marguerite");
            });

    assertThat(text(sections)).isEqualTo("Boat: Marguerite\nHarbour dues are paid in advance.");
  }

  @Test
  void readsTextThatStandsSideways() throws Exception {
    List<Section> sections =
        read(
            pdf ->
                write(
                    pdf,
                    page(pdf),
                    Matrix.getRotateInstance(Math.PI / 2, 300, 100),
                    "Berths of the north quay",
                    "are closed in winter."));

    assertThat(text(sections)).isEqualTo("Berths of the north quay\nare closed in winter.");
  }

  @Test
  void readsOneColumnAfterTheOther() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              PDPage page = page(pdf);
              write(pdf, page, at(50), "The left column", "goes on here.");
              write(pdf, page, at(350), "The right column", "ends here.");
            });

    assertThat(text(sections).replaceAll("\\s+", " "))
        .isEqualTo("The left column goes on here. The right column ends here.");
  }

  @Test
  void readsLettersOnceThatAreDrawnTwiceToLookBold() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              PDPage page = page(pdf);
              write(pdf, page, at(50), "NOTICE");
              write(pdf, page, at(50.3f), "NOTICE");
            });

    assertThat(text(sections)).isEqualTo("NOTICE");
  }

  @Test
  void joinsWordsThatAreDividedAtTheEndOfALine() throws Exception {
    List<Section> sections =
        read(
            pdf ->
                write(
                    pdf,
                    "The harbour master gives infor-",
                    "mation on well-",
                    "known berths, from 2024-",
                    "2025, to Jean-",
                    "Pierre. They are well-known."));

    assertThat(text(sections))
        .isEqualTo(
            "The harbour master gives information on well-known berths, from 2024-\n2025, to Jean-\nPierre. They are well-known.");
  }

  @Test
  void takesTheOutlineAsHeadings() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              write(pdf, "Contents");
              write(pdf, "A night costs 14 euros.");
              write(pdf, "It goes on.");
              write(pdf, "Dogs are welcome.");
              PDDocumentOutline outline = new PDDocumentOutline();
              pdf.getDocumentCatalog().setDocumentOutline(outline);
              PDOutlineItem fees = item(outline, "Fees", pdf.getPage(1));
              item(fees, "Boats", pdf.getPage(1));
              item(outline, "Animals", pdf.getPage(3));
            });

    assertThat(sections)
        .containsExactly(
            new Section(1, "", "Contents"),
            new Section(2, "Fees", "A night costs 14 euros."),
            new Section(3, "Fees", "It goes on."),
            new Section(4, "Animals", "Dogs are welcome."));
  }

  private static PDOutlineItem item(PDOutlineNode parent, String title, PDPage page) {
    PDPageFitDestination destination = new PDPageFitDestination();
    destination.setPage(page);
    PDOutlineItem item = new PDOutlineItem();
    item.setTitle(title);
    item.setDestination(destination);
    parent.addLast(item);
    return item;
  }

  @Test
  void readsWhatWasTypedOnAPageButNoCommentsAndAddresses() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              write(pdf, "Name:");
              PDAnnotationFreeText typed = new PDAnnotationFreeText();
              typed.setContents("Yann Le Goff");
              PDAnnotationText comment = new PDAnnotationText();
              comment.setContents("Is this right?");
              PDActionURI address = new PDActionURI();
              address.setURI("http://127.0.0.1/secret");
              PDAnnotationLink link = new PDAnnotationLink();
              link.setAction(address);
              pdf.getPage(0).setAnnotations(List.of(typed, comment, link));
            });

    assertThat(text(sections).replaceAll("\\s+", " ")).isEqualTo("Name: Yann Le Goff");
  }

  @Test
  void anOutlineThatIsACircleEnds() throws Exception {
    List<Section> sections =
        read(
            pdf -> {
              write(pdf, "On the page.");
              PDDocumentOutline outline = new PDDocumentOutline();
              pdf.getDocumentCatalog().setDocumentOutline(outline);
              PDOutlineItem item = item(outline, "Again", pdf.getPage(0));
              item.getCOSObject().setItem(COSName.FIRST, item);
              item.getCOSObject().setItem(COSName.NEXT, item);
            });

    assertThat(text(sections)).isEqualTo("On the page.");
  }
}
