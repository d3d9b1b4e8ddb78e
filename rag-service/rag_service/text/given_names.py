"""Given names that are usual in Colombia, folded: before a surname they tell which of several people is meant.

Those that are also days, months, places or what people wish for are left out: "Este Domingo Petro habla".
"""

from __future__ import annotations

from rag_service.text.words import words_of

GIVEN_NAMES = words_of(
    """
    abel abelardo adolfo adriana adriano agustin aida alan alba alberto aldo alejandra alejandro alexander alexandra
    alfonso alfredo alicia alirio alonso alvaro amalia amanda amparo ana anabel andrea andres angel angela angelica
    angelino angie anibal antonia antonio ariel armando arturo astrid augusto aura aurelio aurora beatriz benjamin
    bernardo berta bertha betty blanca boris brayan brenda brigitte bruno camila camilo carla carlos carmen carmenza
    carolina catalina catherine cecilia cesar christian clara claudia clemencia clemente cristian cristiana
    cristina cristobal cynthia dagoberto daniel daniela dario david deisy diana diego dilian dora doris
    eduardo edgar edilberto edison edna edwin efrain eliana elias elizabeth elkin elsa elvira emilia emilio emma
    enrique erika erasmo ernesto esteban estefania estela esther eugenia eugenio eva evelyn everth fabian
    fabio fabiola fabricio federico felipe felix fernanda fernando fidel flor francisca francisco freddy fredy
    gabriel gabriela genaro georgina gerardo german gilberto gilma gina giovanni gisela gladys gloria gonzalo graciela
    gregorio guillermo gustavo harold hector helena henry heriberto hernan hernando hilda hollman horacio hugo humberto
    ignacio ines ingrid irene iris isabel isabela ismael ivan jacqueline jaime jairo javier jeison jennifer
    jenny jeronimo jessica jesus jhon joaquin johana john jonathan jorge jose josefina juan juana juanita judith julia
    julian juliana julieta karen karina katherine kevin laura leidy leon leonardo leonor leticia lidia lilia
    liliana lina lorena lorenzo lucas lucia luciano luis luisa luz magdalena manuel manuela marcela marcelo marcos
    margarita maria mariana mariano maribel mario marisol marlene marta martha martin mary mateo matilde mauricio
    mauro maximo mercedes miguel milena miriam miryam moises monica myriam nancy natalia nelly nelson nestor nicolas
    nidia nohora nora norma octavio olga oliverio olivia omar orlando oscar osvaldo pablo paloma paola patricia paul
    paula paulina pedro piedad pilar rafael ramiro ramon raquel raul rebeca ricardo roberto rocio rodolfo rodrigo
    rogelio roman rosa rosalba rosario roy ruben rubi ruth salomon samuel sandra sara sebastian
    sergio silvia simon sofia sonia stella susana tatiana teodora teresa tomas ursula valentina valeria
    veronica vicente victor vilma virginia viviana vladimir walter wilfredo william wilson wilmer ximena
    yadira yamile yaneth yenny yesid yolanda yuliana zulma
    """
)
