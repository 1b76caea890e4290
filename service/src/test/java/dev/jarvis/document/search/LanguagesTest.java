package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One user has documents in many languages, and asks for other forms of their words. */
class LanguagesTest {
  private static TestService service;
  private static final Map<String, String> IDS = new HashMap<>();

  /**
   * A document, and a question that has none of its words as they are.
   *
   * @param language ISO 639-1; null if it is uncertain
   */
  record Example(@Nullable String language, String text, String question) {}

  static List<Example> examples() {
    return List.of(
        new Example(
            "ar",
            "رسوم الميناء مئة دينار في الليلة الواحدة، والقوارب الصغيرة تدفع أقل من ذلك.",
            "ميناء"),
        new Example(
            "ca",
            "La tarifa del port és de cent euros per nit per a les barques petites de pesca.",
            "petita"),
        new Example(
            "da",
            "Havneafgiften er hundrede kroner pr. nat for de små både, som ligger ved kajen.",
            "kajer"),
        new Example(
            "de",
            "Die Gebühr für den Hafen beträgt hundert Euro pro Nacht für die kleinen Boote.",
            "Gebühren Häfen"),
        new Example(
            "el",
            "Το τέλος του λιμανιού είναι εκατό ευρώ τη νύχτα για τα μικρά σκάφη αναψυχής.",
            "λιμάνια"),
        new Example(
            "en",
            "The harbours are closed at night, and small boats pay the fee in the morning.",
            "closing harbour"),
        new Example(
            "es",
            "La tasa del puerto es de cien euros por noche para los barcos pequeños.",
            "puertos"),
        new Example(
            "eu",
            "Portuko kuota ehun eurokoa da gau bakoitzeko itsasontzi txikientzat.",
            "itsasontzia"),
        new Example(
            "fi",
            "Satamamaksu on sata euroa yöltä pienille veneille, jotka ovat laiturissa.",
            "laiturit"),
        new Example(
            "fr",
            "Les frais de port sont de cent euros par nuit pour les petits bateaux.",
            "bateau"),
        new Example(
            "ga", "Is é céad euro san oíche táille an chuain do bháid bheaga sa chuan.", "báid"),
        new Example("hi", "छोटी नावों के लिए बंदरगाह का शुल्क एक रात के सौ रुपये है।", "नाव"),
        new Example(
            "hr",
            "Lučka pristojba iznosi sto eura za noć za male čamce i brodove u luci.",
            "čamac"),
        new Example(
            "hu", "A kikötői díj éjszakánként száz euró a kis csónakok számára.", "csónakokban"),
        new Example("hy", "Նավահանգստի վարձը գիշերը հարյուր դրամ է փոքր նավակների համար։", "նավակ"),
        new Example(
            "id",
            "Biaya pelabuhan adalah seratus ribu rupiah per malam untuk perahu kecil.",
            "pelabuhannya"),
        new Example(
            "it", "La tassa portuale è di cento euro a notte per le barche piccole.", "notti"),
        new Example("lt", "Uosto mokestis mažoms valtims yra šimtas eurų už naktį.", "mokesčio"),
        new Example(
            "ne",
            "साना डुङ्गाहरूका लागि बन्दरगाहको शुल्क प्रति रात एक सय रुपैयाँ हो।",
            "बन्दरगाहमा"),
        new Example(
            "nl", "Het havengeld bedraagt honderd euro per nacht voor de kleine boten.", "nachten"),
        new Example(
            "no", "Havneavgiften er hundre kroner per natt for de små båtene ved brygga.", "båter"),
        new Example(
            "pt",
            "A taxa do porto é de cem euros por noite para os barcos pequenos que não são de pesca.",
            "barco"),
        new Example(
            "ro", "Taxa portuară este de o sută de euro pe noapte pentru bărcile mici.", "taxe"),
        new Example(
            "ru",
            "Портовый сбор составляет сто рублей за ночь для маленьких лодок.",
            "портовые сборы"),
        new Example("sr", "Лучка такса је сто динара за ноћ за мале чамце и бродове.", "динар"),
        new Example("sv", "Hamnavgiften är hundra kronor per natt för små båtar vid kajen.", "båt"),
        new Example(
            "ta", "சிறிய படகுகளுக்கு துறைமுகக் கட்டணம் ஒரு இரவுக்கு நூறு ரூபாய்.", "கட்டணங்கள்"),
        new Example("tr", "Küçük tekneler için liman ücreti gecelik yüz liradır.", "tekne"),
        // languages without a configuration: the words as they are, in any case
        new Example("pl", "Opłata portowa wynosi sto złotych za noc dla małych łodzi.", "OPŁATA"),
        new Example(
            "uk", "Портовий збір становить сто гривень за ніч для маленьких човнів.", "ЗБІР"),
        new Example("vi", "Phí bến cảng là một trăm nghìn đồng một đêm cho thuyền nhỏ.", "THUYỀN"),
        new Example("he", "דמי הנמל הם מאה שקלים ללילה לסירות קטנות.", "הנמל"),
        new Example("zh", "港口费用每晚一百元，小船更便宜。", "费用"),
        new Example("ja", "港の料金は一晩百円です。小さい船はもっと安いです。", "料金"),
        new Example("ko", "항구 요금은 하룻밤에 백 원입니다.", "요금"),
        new Example("th", "ค่าธรรมเนียมท่าเรือคืนละหนึ่งร้อยบาท", "ท่าเรือ"),
        new Example("lo", "ຄ່າທຳນຽມທ່າເຮືອຄືນລະໜຶ່ງຮ້ອຍກີບ", "ທ່າເຮືອ"),
        new Example("km", "ថ្លៃកំពង់ផែក្នុងមួយយប់គឺមួយរយដុល្លារ", "កំពង់ផែ"),
        new Example("my", "ဆိပ်ကမ်းကြေးတစ်ညလျှင်တစ်ရာကျပ်ဖြစ်သည်", "ဆိပ်ကမ်း"),
        // too little text, or none of a language
        new Example(null, "Gulls.", "GULLS"),
        new Example(null, "0x1f a1b2c3d4 9f86d081 e3b0c442 7d659a2f", "9F86D081"));
  }

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of());
    for (Example it : examples()) {
      byte[] text = it.text().getBytes(StandardCharsets.UTF_8);
      HttpResponse<String> response = service.upload("a.txt", text, "assistants");
      IDS.put(it.text(), TestService.json(response.body()).path("id").asText());
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !service.get("/v1/files").body().contains("\"status\":\"uploaded\""));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void findsOtherFormsOfWords(Example example) {
    String id = IDS.get(example.text());
    JsonNode file = TestService.json(service.get("/v1/files/" + id).body());
    assertThat(file.path("language").asText(null)).isEqualTo(example.language());
    JsonNode found =
        TestService.json(
            service.post("/v1/search", "{\"query\":\"%s\"}".formatted(example.question())).body());
    assertThat(found.path("data").findValuesAsText("file_id")).as("%s", found).contains(id);
  }
}
